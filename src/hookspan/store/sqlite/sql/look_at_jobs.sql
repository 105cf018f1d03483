-- What there may be to do for started jobs, by id. Leans on job_started, the primary key of webhook and delivery_job.
select
  job.id, job.webhook_id, job.state, job.unfed > 0, job.feeds_at, w.status, w.sweep_reason is not null,
  (
    select count(*)
    from (
      select 1 from delivery indexed by delivery_job
      where job_id = job.id and state = 1 and attempt_count = 0
      limit :untried_max
    )
  ),
  exists (select 1 from delivery indexed by delivery_job where job_id = job.id and state = 1 and node = 0),
  exists (select 1 from delivery indexed by delivery_job where job_id = job.id and state = 1)
from job indexed by job_started
left join webhook w on w.id = job.webhook_id
where job.id > :after and w.is_frozen is not 1 and job.finished_at is null and job.state > 1
order by job.id
limit :limit
