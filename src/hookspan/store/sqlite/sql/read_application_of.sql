-- Whether the application is frozen to which a key, a person or a session belongs. Leans on the primary
-- keys.
select a.id, a.frozen_at
from application a
where
  a.deleted_at is null
  and a.id = coalesce(
    (select application_id from access_key where id = :id),
    (select application_id from person where id = :id),
    (select application_id from session where id = :id)
  )
