-- Notes of what nodes hold of a job that it was cancelled: should it be given back unsent, it is. In id order, and of
-- what is still held when its turn comes. Leans on delivery_job.
with held as (
  select id from delivery
  where job_id = %(id)s and id > %(id)s and state = 1 and node <> 0
  order by id
  for no key update
)
update delivery as d
set reason = 13
from held
where d.id = held.id and d.id > %(id)s and d.state = 1 and d.node <> 0
