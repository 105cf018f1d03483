-- An application's events, oldest first, above a position. Leans on event_position.
select
  id, application_id, publisher_id, type, position, occurred_at, accepted_at, content, content_at,
  content_bytes, context, body
from event
where
  application_id = %(application_id)s
  and position > %(position)s
  and (%(types)s::text[] is null or type = any(%(types)s::text[]))
order by position
limit %(limit)s
