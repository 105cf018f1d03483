-- A new application; one whose public id is taken is not. Upkeep of application_public.
insert into application (
  id, public_id, name, profile, uuid, settings, metadata, notify, webhooks_version, last_position,
  created_at, updated_at
) values (
  %(id)s, %(public_id)s, %(name)s, %(profile)s, %(uuid)s, %(settings)s, %(metadata)s, %(notify)s, 1, 0,
  %(created_at)s, %(created_at)s
)
on conflict (public_id) where deleted_at is null do nothing
