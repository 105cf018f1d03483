-- Locks the application of a job, before anything else of it is read. Leans on the primary keys.
select id, frozen_at from application
where id = (select application_id from job where id = %s)
for no key update
