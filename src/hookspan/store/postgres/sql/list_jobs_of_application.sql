-- Jobs of one application, newest first. Leans on job_application and on delivery_job.
select
  job.id, job.application_id, a.public_id, a.profile, job.webhook_id, job.kind, job.state, job.input, job.rate, job.total,
  job.unfed, job.succeeded + coalesce(made.succeeded, 0), job.failed + coalesce(made.failed, 0),
  job.skipped + coalesce(made.skipped, 0), job.problem, job.created_at, job.started_at, job.finished_at
from (
  select job.* from job
  join application as a on a.id = job.application_id and a.deleted_at is null
  where
    job.application_id = %(application_id)s and job.id >= %(low)s and job.id < %(high)s
    and (%(state)s::smallint is null or job.state = %(state)s::smallint)
  order by job.id desc
  limit %(limit)s
) as job
join application as a on a.id = job.application_id
left join lateral (
  select
    count(*) filter (where d.state = 2) as succeeded,
    count(*) filter (where d.state = 3) as failed,
    count(*) filter (where d.state = 4) as skipped
  from delivery as d
  where job.finished_at is null and d.job_id = job.id and d.id > job.id
) as made on true
order by job.id desc
