-- What a turn of a started job needs. Leans on the primary keys.
select
  job.application_id, job.webhook_id, job.state, job.event_state, job.is_missing, job.rate, job.feeds_at, job.unfed,
  w.status, w.delivery_order, w.sweep_reason is not null
from job
left join webhook as w on w.id = job.webhook_id
where job.id = %s and job.finished_at is null
