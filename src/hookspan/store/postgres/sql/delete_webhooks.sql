-- Drops deleted webhooks. Leans on the primary key.
delete from webhook where id = any(%s::bigint[]) and status = 4
