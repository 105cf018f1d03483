-- The webhooks_version of each of these applications that is there. Leans on the primary key.
select id, webhooks_version from application where id = any(%s::bigint[]) and deleted_at is null
