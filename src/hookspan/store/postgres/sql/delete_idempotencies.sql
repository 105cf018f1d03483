-- Gives keys free, in id order. Leans on the primary key.
delete from idempotency where id in (select id from idempotency where id = any(%s::bigint[]) order by id for update)
