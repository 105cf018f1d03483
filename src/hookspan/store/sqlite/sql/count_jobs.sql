-- How many unfinished jobs of an application are in a state. Leans on job_unfinished.
select count(*) from job indexed by job_unfinished where application_id = ? and state = ? and finished_at is null
