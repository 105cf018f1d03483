-- Deliveries of a job: ordinary ones but for their run. Upkeep of delivery_webhook, delivery_due and delivery_job.
insert into delivery (
  id, application_id, webhook_id, event_id, run, node, claim, is_fifo, cause, next_attempt_at, job_id
)
values (?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?)
