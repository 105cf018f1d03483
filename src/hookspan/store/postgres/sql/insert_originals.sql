-- Keeps the original deliveries of events that a webhook catches up with; one that is there already stays, and an event
-- that is being dropped gets none. Leans on the primary key of event and on delivery_webhook; upkeep of delivery_due.
with kept as materialized (
  select id from event where id = any(%(event_ids)s::bigint[]) order by id for key share
)
insert into delivery (id, application_id, webhook_id, event_id, node, claim, is_fifo, next_attempt_at)
select given.id, %(application_id)s, %(webhook_id)s, given.event_id, 0, 0, %(is_fifo)s, %(now)s
from unnest(%(ids)s::bigint[], %(event_ids)s::bigint[]) given (id, event_id)
join kept on kept.id = given.event_id
where
  not exists (
    select 1 from delivery d
    where
      d.webhook_id = %(webhook_id)s and d.event_id = given.event_id and d.run = 0
      and d.event_id >= %(low)s and d.event_id <= %(high)s
  )
order by given.id
