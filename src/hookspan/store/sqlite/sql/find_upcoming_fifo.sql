-- What waits for a fifo webhook, oldest first: one row of [event id, type], at most :most. Leans on delivery_fifo.
select json_group_array(json_array(event_id, type))
from (
  select d.event_id, event.type
  from delivery d indexed by delivery_fifo
  cross join event on event.id = d.event_id
  where d.webhook_id = :webhook_id and d.state = 1 and d.is_fifo = 1 and d.reason is null
  order by d.id
  limit :most
)
