-- Started jobs that are not finished, by id. Leans on job_started.
select id from job where finished_at is null and state > 1 and id > %s order by id limit %s
