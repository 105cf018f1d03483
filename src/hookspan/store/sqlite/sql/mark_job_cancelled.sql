-- Notes of what nodes hold of a job that it was cancelled: should it be given back unsent, it is. Leans on delivery_job.
update delivery set reason = 13
where id in (
  select id from delivery indexed by delivery_job where job_id = ? and state = 1 and node <> 0
)
