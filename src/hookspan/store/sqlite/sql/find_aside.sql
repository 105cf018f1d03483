-- Due deliveries that a person sent, aside of their webhooks' queues: one row of [delivery id, webhook id, body bytes].
-- While a webhook is off only first attempts are made. Leans on delivery_aside.
select json_group_array(json_array(found.id, found.webhook_id, found.body_bytes))
from (
  select d.id, d.webhook_id, octet_length(event.body) as body_bytes
  from delivery d indexed by delivery_aside
  cross join webhook on webhook.id = d.webhook_id
  cross join event on event.id = d.event_id
  where
    d.state = 1 and d.node = 0 and d.is_aside = 1 and d.next_attempt_at <= :now
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
  limit :limit
) found
