-- Some jobs of an application. Leans on job_application.
select id from job where application_id = %s order by id limit %s for update
