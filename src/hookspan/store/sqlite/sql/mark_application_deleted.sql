-- Takes an application out of reach. Leans on the primary key.
update application
set deleted_at = :now, updated_at = :now, webhooks_version = webhooks_version + 1
where id = :id and deleted_at is null
