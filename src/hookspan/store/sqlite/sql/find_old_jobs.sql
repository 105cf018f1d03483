-- Jobs that were finished before a point in time: one row of ids. Leans on job_finished.
select json_group_array(id)
from (
  select id from job indexed by job_finished
  where finished_at is not null and finished_at < ?1
  order by finished_at
  limit ?2
)
