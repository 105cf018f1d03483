-- Locks webhooks, in the order of their ids. Leans on the primary key.
select id from webhook where id = any(%s::bigint[]) order by id for update
