-- Writes an application's members. Leans on the primary key.
update application
set
  name = :name, profile = :profile, uuid = :uuid, settings = :settings, metadata = :metadata, notify = :notify,
  webhooks_version = webhooks_version + 1, updated_at = :changed_at
where id = :id
