-- Keeps the original deliveries of events that a webhook catches up with; one that is there already stays. Upkeep
-- of delivery_webhook and delivery_due.
insert or ignore into delivery (id, application_id, webhook_id, event_id, node, claim, is_fifo, next_attempt_at)
values (?, ?, ?, ?, ?, ?, ?, ?)
