-- How many of a job's deliveries wait for their first attempt, counted up to a limit. Leans on delivery_job.
select count(*)
from (
  select 1 from delivery indexed by delivery_job
  where job_id = ?1 and state = 1 and attempt_count = 0
  limit ?2
)
