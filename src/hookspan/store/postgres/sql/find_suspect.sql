-- A due delivery that nodes died over three times, to be sent alone: delivery id, webhook id, event id. Of a fifo
-- webhook only its head. Leans on delivery_suspect, and on delivery_fifo for the head.
select suspect.id, suspect.webhook_id, suspect.event_id
from delivery suspect
cross join lateral (
  select 1 from webhook
  where
    webhook.id = suspect.webhook_id and webhook.status in (1, 2) and webhook.sweep_reason is null and not webhook.is_frozen
    and webhook.application_id <> all(%(applications)s::bigint[])
    and (
      cardinality(%(profiles)s::text[]) = 0
      or not exists (
        select 1 from application
        where application.id = webhook.application_id and application.profile = any(%(profiles)s::text[])
      )
    )
    and webhook.id <> all(%(skip)s::bigint[])
  limit 1
) as webhook
where
  suspect.state = 1 and suspect.orphan_count >= 3
  and suspect.node = 0 and suspect.next_attempt_at <= %(now)s and suspect.id >= %(low)s
  and (
    not suspect.is_fifo
    or suspect.id = (
      select head.id from delivery head
      where head.state = 1 and head.is_fifo and head.webhook_id = suspect.webhook_id and head.id >= %(low)s
      order by head.id limit 1
    )
  )
order by suspect.id
limit 1
for no key update of suspect skip locked
