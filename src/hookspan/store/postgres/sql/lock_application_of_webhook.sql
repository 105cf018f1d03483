-- The application of a webhook, locked in the same way. Leans on the primary keys.
select
  id, public_id, name, profile, uuid, settings, metadata, notify, webhooks_version, last_position,
  created_at, updated_at, frozen_at
from application
where id = (select application_id from webhook where id = %s) and deleted_at is null
for update
