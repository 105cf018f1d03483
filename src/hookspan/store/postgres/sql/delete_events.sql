-- Drops events. Leans on the primary key.
delete from event where id = any(%s::bigint[])
