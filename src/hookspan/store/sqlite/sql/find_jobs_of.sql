-- Some jobs of an application: one row of ids. Leans on job_application.
select json_group_array(id) from (select id from job indexed by job_application where application_id = ?1 limit ?2)
