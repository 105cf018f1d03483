-- An application, locked against every other change of it and of what is its own. Leans on the primary key.
select
  id, public_id, name, profile, uuid, settings, metadata, notify, webhooks_version, last_position,
  created_at, updated_at, frozen_at
from application
where id = %s and deleted_at is null
for update
