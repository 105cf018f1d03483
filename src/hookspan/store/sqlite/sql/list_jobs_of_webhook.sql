-- The same of one webhook. Leans on job_webhook and on delivery_job.
select
  job.id, job.application_id, a.public_id, a.profile, job.webhook_id, job.kind, job.state, job.input, job.rate, job.total,
  job.unfed,
  job.succeeded + iif(
    job.finished_at is null,
    (select count(*) from delivery indexed by delivery_job where job_id = job.id and state = 2), 0
  ),
  job.failed + iif(
    job.finished_at is null,
    (select count(*) from delivery indexed by delivery_job where job_id = job.id and state = 3), 0
  ),
  job.skipped + iif(
    job.finished_at is null,
    (select count(*) from delivery indexed by delivery_job where job_id = job.id and state = 4), 0
  ),
  job.problem, job.created_at, job.started_at, job.finished_at
from job indexed by job_webhook
cross join application a on a.id = job.application_id and a.deleted_at is null
where
  job.webhook_id = :webhook_id and (:application_id is null or job.application_id = :application_id)
  and job.id >= :low and job.id < :high
  and (:state is null or job.state = :state)
order by job.id desc
limit :limit
