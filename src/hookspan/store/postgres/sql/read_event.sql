-- One event of an application. Leans on the primary key.
select
  id, application_id, publisher_id, type, position, occurred_at, accepted_at, content, content_at,
  content_bytes, context, body
from event
where id = %(id)s and application_id = %(application_id)s
