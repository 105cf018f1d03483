-- Cancels some of a job's waiting deliveries, those that were never tried first. What a node takes at this moment is left
-- to it. Leans on delivery_job.
with waiting as (
  select id from delivery
  where job_id = %(job_id)s and id > %(job_id)s and state = 1 and node = 0
  order by attempt_count, id
  limit %(limit)s
  for no key update skip locked
)
update delivery as d
set state = 4, reason = %(reason)s, finished_at = %(now)s, next_attempt_at = null
from waiting
where d.id = waiting.id and d.id > %(job_id)s and d.state = 1 and d.node = 0
