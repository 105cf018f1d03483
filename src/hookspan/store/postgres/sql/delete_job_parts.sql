-- Nothing more is made of a job. Leans on the primary key.
delete from job_part where job_id = %s
