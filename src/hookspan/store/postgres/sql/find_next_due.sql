-- When the next delivery is due of a webhook that sends, outside :skip; a fifo webhook's head alone counts, and none
-- while that is claimed. Leans on delivery_due and delivery_fifo.
with recursive
waiting (webhook_id) as (
  (
    select webhook_id from delivery
    where state = 1 and node = 0 and webhook_id > 0 and id >= %(low)s
    order by webhook_id limit 1
  )
  union all
  select (
    select delivery.webhook_id from delivery
    where state = 1 and node = 0 and delivery.webhook_id > waiting.webhook_id and id >= %(low)s
    order by delivery.webhook_id limit 1
  )
  from waiting
  where waiting.webhook_id is not null
)
select min(
  case webhook.delivery_order
    when 1 then (
      select due.next_attempt_at from delivery due
      where
        due.state = 1 and due.node = 0 and due.webhook_id = waiting.webhook_id and due.next_attempt_at is not null
        and not due.is_aside and due.id >= %(low)s
      order by due.next_attempt_at limit 1
    )
    else (
      select case when fifo.node = 0 then fifo.next_attempt_at end from delivery fifo
      where fifo.state = 1 and fifo.is_fifo and fifo.webhook_id = waiting.webhook_id and fifo.id >= %(low)s
      order by fifo.id limit 1
    )
  end
)
from waiting
cross join lateral (
  select webhook.delivery_order from webhook
  where
    webhook.id = waiting.webhook_id and webhook.status in (1, 2) and webhook.sweep_reason is null and not webhook.is_frozen
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
