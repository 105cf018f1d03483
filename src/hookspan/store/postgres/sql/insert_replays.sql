-- Deliveries of a job: ordinary ones but for their run. Upkeep of delivery_webhook, delivery_due and delivery_job.
insert into delivery (
  id, application_id, webhook_id, event_id, run, node, claim, is_fifo, cause, next_attempt_at, job_id
)
select
  given.id, %(application_id)s, %(webhook_id)s, given.event_id, given.run, 0, 0, %(is_fifo)s, %(cause)s, %(now)s,
  %(job_id)s
from unnest(%(ids)s::bigint[], %(event_ids)s::bigint[], %(runs)s::bigint[]) as given (id, event_id, run)
