-- Keeps new deliveries, claimed at birth or due. Upkeep of delivery_webhook, and of delivery_claimed or
-- delivery_due.
insert into delivery (id, application_id, webhook_id, event_id, node, claim, is_fifo, next_attempt_at)
values (?, ?, ?, ?, ?, ?, ?, ?)
