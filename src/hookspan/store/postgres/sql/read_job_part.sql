-- The next events of a job. Leans on the primary key.
select number, event_ids from job_part where job_id = %s order by number limit 1
