-- When the next delivery is due that a person sent, of a webhook that is on or for its first attempt. Leans on
-- delivery_aside.
select d.next_attempt_at
from delivery d
cross join lateral (
  select 1 from webhook
  where
    webhook.id = d.webhook_id
    and (webhook.status in (1, 2) or (webhook.status = 3 and d.round_attempts = 0))
    and webhook.sweep_reason is null and not webhook.is_frozen
    and webhook.application_id <> all(%(applications)s::bigint[])
    and (
      cardinality(%(profiles)s::text[]) = 0
      or not exists (
        select 1 from application
        where application.id = webhook.application_id and application.profile = any(%(profiles)s::text[])
      )
    )
  limit 1
) as webhook
where
  d.state = 1 and d.node = 0 and d.is_aside and d.next_attempt_at is not null and d.id >= %(low)s
  and d.orphan_count < 3
order by d.next_attempt_at
limit 1
