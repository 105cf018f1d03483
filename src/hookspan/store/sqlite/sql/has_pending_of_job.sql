-- Whether anything of a job is scheduled or in flight. Leans on delivery_job.
select exists (select 1 from delivery indexed by delivery_job where job_id = ? and state = 1)
