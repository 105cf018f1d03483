-- Which of these applications are frozen. Leans on the primary key.
select id from application where id = any(%s::bigint[]) and deleted_at is null and frozen_at is not null
