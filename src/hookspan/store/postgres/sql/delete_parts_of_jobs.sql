-- Drops what jobs have not made. Leans on the primary key.
delete from job_part where job_id = any(%s::bigint[])
