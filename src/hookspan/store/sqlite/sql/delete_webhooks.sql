-- Drops deleted webhooks. Leans on the primary key.
delete from webhook where id in (select value from json_each(?1)) and status = 4
