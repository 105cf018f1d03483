-- What waits for a fifo webhook, oldest first: event id, type. Leans on delivery_fifo.
select d.event_id, e.type
from (
  select id, event_id from delivery
  where webhook_id = %(webhook_id)s and state = 1 and is_fifo and reason is null and id >= %(low)s
  order by id
  limit %(most)s
) d
cross join lateral (select type from event where id = d.event_id limit 1) e
order by d.id
