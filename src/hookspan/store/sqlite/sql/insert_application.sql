-- A new application. Upkeep of application_public.
insert into application (
  id, public_id, name, profile, uuid, settings, metadata, notify, webhooks_version, last_position,
  created_at, updated_at
) values (
  :id, :public_id, :name, :profile, :uuid, :settings, :metadata, :notify, 1, 0, :created_at, :created_at
)
