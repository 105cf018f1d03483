-- Applications whose name or public id has a text, newest first; only the case of ASCII letters is passed over. Walks
-- the applications by the primary key: a person asks, and 10,000 take some milliseconds.
select
  id, public_id, name, profile, uuid, settings, metadata, notify, webhooks_version, last_position,
  created_at, updated_at
from application
where
  id >= %(low)s and id < %(high)s and deleted_at is null
  and (
    name collate "C" ilike %(given)s escape '\' or public_id collate "C" ilike %(given)s escape '\'
    or %(is_other)s and (
      name collate "C" ilike %(small)s escape '\'
      or name collate "C" ilike %(capital)s escape '\'
      or name collate "C" ilike %(title)s escape '\'
    )
  )
order by id desc
limit %(limit)s
