-- Freezes an application, or lets it go on (null), and tells every holder of its webhooks. Leans on the primary key.
update application set frozen_at = :frozen_at, webhooks_version = webhooks_version + 1
where id = :id and deleted_at is null
