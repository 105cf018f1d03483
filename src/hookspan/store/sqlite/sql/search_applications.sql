-- Applications whose name or public id has a text, newest first. Walks the applications by the primary key: a person
-- asks, and `like` over 10,000 takes some milliseconds.
select
  id, public_id, name, profile, uuid, settings, metadata, notify, webhooks_version, last_position,
  created_at, updated_at
from application
where
  id >= :low and id < :high and deleted_at is null
  and (
    name like :given escape '\' or public_id like :given escape '\'
    or :is_other and (
      name like :small escape '\' or name like :capital escape '\' or name like :title escape '\'
    )
  )
order by id desc
limit :limit
