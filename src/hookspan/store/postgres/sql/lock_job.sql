-- Locks a job against retention, which counts in it what it drops. Leans on the primary key.
select id from job where id = %s for no key update
