-- Locks applications that are there, in id order. Leans on the primary key.
select id from application
where id = any(%s::bigint[]) and deleted_at is null and frozen_at is null
order by id
for no key update
