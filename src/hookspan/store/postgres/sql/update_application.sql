-- Writes an application's members. Leans on the primary key.
update application
set
  name = %(name)s, profile = %(profile)s, uuid = %(uuid)s, settings = %(settings)s, metadata = %(metadata)s,
  notify = %(notify)s, webhooks_version = webhooks_version + 1, updated_at = %(changed_at)s
where id = %(id)s
