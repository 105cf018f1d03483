-- Drops jobs. Leans on the primary key.
delete from job where id = any(%s::bigint[])
