-- A delivery of its own for an event and a webhook, due now: the next run, since run 0 is the original's even where
-- there is none yet. The event is kept from being dropped meanwhile. Leans on the primary key and delivery_event;
-- upkeep of delivery_webhook, delivery_due and delivery_aside.
with kept as materialized (
  select id, application_id from event
  where id = %(event_id)s and application_id = %(application_id)s
  for key share
)
insert into delivery (
  id, application_id, webhook_id, event_id, run, node, claim, is_fifo, is_aside, cause, next_attempt_at
)
select
  %(id)s, kept.application_id, %(webhook_id)s, kept.id,
  coalesce((select max(run) from delivery where event_id = %(event_id)s and webhook_id = %(webhook_id)s), 0) + 1,
  0, 0, false, true, %(cause)s, %(now)s
from kept
