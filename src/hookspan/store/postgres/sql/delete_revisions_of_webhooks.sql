-- Drops the revisions of webhooks that are gone. Leans on the primary key.
delete from webhook_revision where webhook_id = any(%s::bigint[])
