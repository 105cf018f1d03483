-- How many unfinished jobs of an application are in a state. Leans on job_unfinished.
select count(*) from job where application_id = %s and state = %s and finished_at is null
