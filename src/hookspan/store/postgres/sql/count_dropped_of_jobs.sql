-- Counts deliveries that are about to be dropped for the unfinished jobs that made them. Leans on the primary keys.
update job
set
  succeeded = job.succeeded + given.succeeded,
  failed = job.failed + given.failed,
  skipped = job.skipped + given.cancelled
from (
  select
    job_id,
    count(*) filter (where state = 2) as succeeded,
    count(*) filter (where state = 3) as failed,
    count(*) filter (where state = 4) as cancelled
  from delivery
  where id = any(%s::bigint[]) and job_id is not null
  group by job_id
) given
where job.id = given.job_id and job.finished_at is null
