-- Due deliveries that a person sent, aside of their webhooks' queues: delivery id, webhook id, event id. While a
-- webhook is off only first attempts are made. Leans on delivery_aside.
select d.id, d.webhook_id, d.event_id
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
  d.state = 1 and d.node = 0 and d.is_aside and d.next_attempt_at <= %(now)s and d.id >= %(low)s
  and d.orphan_count < 3
order by d.next_attempt_at
limit %(limit)s
for no key update of d skip locked
