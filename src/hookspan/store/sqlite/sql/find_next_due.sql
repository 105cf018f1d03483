-- When the next delivery is due of a webhook that sends, outside :skip; a fifo webhook's head alone counts, and
-- none while that is claimed. Leans on delivery_due and delivery_fifo.
with recursive
waiting (webhook_id) as (
  select (
    select webhook_id from delivery indexed by delivery_due
    where state = 1 and node = 0 and webhook_id > 0
    order by webhook_id limit 1
  )
  union all
  select (
    select webhook_id from delivery indexed by delivery_due
    where state = 1 and node = 0 and webhook_id > waiting.webhook_id
    order by webhook_id limit 1
  )
  from waiting
  where waiting.webhook_id is not null
)
select min(
  case webhook.delivery_order
    when 1 then (
      select due.next_attempt_at from delivery due indexed by delivery_due
      where
        due.state = 1 and due.node = 0 and due.webhook_id = webhook.id and due.next_attempt_at is not null
        and due.is_aside = 0
      order by due.next_attempt_at limit 1
    )
    else (
      select iif(fifo.node = 0, fifo.next_attempt_at, null) from delivery fifo indexed by delivery_fifo
      where fifo.state = 1 and fifo.is_fifo = 1 and fifo.webhook_id = webhook.id
      order by fifo.id limit 1
    )
  end
)
from waiting
cross join webhook on webhook.id = waiting.webhook_id
where
  webhook.status in (1, 2)
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
  and webhook.id not in (select value from json_each(:skip))
