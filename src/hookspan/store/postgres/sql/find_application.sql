-- An application by its name outside. Leans on application_public.
select
  id, public_id, name, profile, uuid, settings, metadata, notify, webhooks_version, last_position,
  created_at, updated_at
from application
where public_id = %s and deleted_at is null
