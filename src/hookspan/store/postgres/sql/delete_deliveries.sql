-- Drops deliveries. Leans on the primary key.
delete from delivery where id = any(%s::bigint[])
