-- Takes out what has become events. Leans on the primary key.
delete from inbox where id = any(%s::bigint[])
