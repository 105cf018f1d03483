-- What there may be to do for started jobs, by id. Leans on the primary keys of job and webhook and on delivery_job.
select
  job.id, job.webhook_id, job.state, job.unfed > 0, job.feeds_at, w.status, w.sweep_reason is not null,
  (
    select count(*)
    from (
      select 1 from delivery as d
      where d.job_id = job.id and d.id > %(lowest)s and d.state = 1 and d.attempt_count = 0
      limit %(untried_max)s
    ) as found
  ),
  exists (
    select 1 from delivery as d where d.job_id = job.id and d.id > %(lowest)s and d.state = 1 and d.node = 0
  ),
  exists (select 1 from delivery as d where d.job_id = job.id and d.id > %(lowest)s and d.state = 1)
from job
left join webhook as w on w.id = job.webhook_id
where
  job.id = any(%(ids)s::bigint[]) and w.is_frozen is not true and job.finished_at is null and job.state > 1
order by job.id
