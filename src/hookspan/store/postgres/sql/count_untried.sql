-- How many of a job's deliveries wait for their first attempt, counted up to a limit. Leans on delivery_job.
select count(*)
from (
  select 1 from delivery
  where job_id = %(id)s and id > %(id)s and state = 1 and attempt_count = 0
  limit %(most)s
) as found
