-- A part is used up. Leans on the primary key.
delete from job_part where job_id = %s and number = %s
