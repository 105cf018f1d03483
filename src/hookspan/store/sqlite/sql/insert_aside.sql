-- A delivery of its own for an event and a webhook, due now: the next run, since run 0 is the original's even where
-- there is none yet. Upkeep of delivery_webhook, delivery_due and delivery_aside.
insert into delivery (
  id, application_id, webhook_id, event_id, run, node, claim, is_fifo, is_aside, cause, next_attempt_at
)
select
  :id, event.application_id, :webhook_id, event.id,
  coalesce((select max(run) from delivery where webhook_id = :webhook_id and event_id = :event_id), 0) + 1,
  0, 0, 0, 1, :cause, :now
from event
where event.id = :event_id and event.application_id = :application_id
