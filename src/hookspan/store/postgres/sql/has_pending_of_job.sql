-- Whether anything of a job is scheduled or in flight. Leans on delivery_job.
select exists (select 1 from delivery where job_id = %(id)s and id > %(id)s and state = 1)
