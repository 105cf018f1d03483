-- All deliveries of a job have ended: what became of them is counted for good. Leans on the primary key and on
-- delivery_job.
update job
set
  state = %(state)s,
  finished_at = %(now)s,
  succeeded = job.succeeded + made.succeeded,
  failed = job.failed + made.failed,
  skipped = job.skipped + made.skipped
from (
  select
    count(*) filter (where state = 2) as succeeded,
    count(*) filter (where state = 3) as failed,
    count(*) filter (where state = 4) as skipped
  from delivery
  where job_id = %(id)s and id > %(id)s
) as made
where job.id = %(id)s
