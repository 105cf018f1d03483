-- Applications, newest first. Leans on the primary key.
select
  id, public_id, name, profile, uuid, settings, metadata, notify, webhooks_version, last_position,
  created_at, updated_at
from application
where id >= %(low)s and id < %(high)s and deleted_at is null
order by id desc
limit %(limit)s
