-- When the next delivery is due that a person sent, of a webhook that is on or for its first attempt. Leans on
-- delivery_aside.
select d.next_attempt_at
from delivery d indexed by delivery_aside
cross join webhook on webhook.id = d.webhook_id
where
  d.state = 1 and d.node = 0 and d.is_aside = 1 and d.next_attempt_at is not null
  and d.orphan_count < 3
  and (webhook.status in (1, 2) or (webhook.status = 3 and d.round_attempts = 0))
  and webhook.sweep_reason is null and webhook.is_frozen = 0
  and webhook.application_id not in (select value from json_each(:applications))
  and (
    :profiles = '[]'
    or not exists (
      select 1 from application
      where
        application.id = webhook.application_id
        and application.profile in (select value from json_each(:profiles))
    )
  )
order by d.next_attempt_at
limit 1
