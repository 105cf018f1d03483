-- Takes an application out of reach. Leans on the primary key.
update application
set deleted_at = %(now)s, updated_at = %(now)s, webhooks_version = webhooks_version + 1
where id = %(id)s and deleted_at is null
