-- An application's events, newest first, between two positions and accepted in [since, until). Leans on event_position.
select
  id, application_id, publisher_id, type, position, occurred_at, accepted_at, content, content_at,
  content_bytes, context, body
from event
where
  application_id = %(application_id)s
  and position > %(after)s and position < %(below)s
  and accepted_at >= %(since)s and accepted_at < %(until)s
  and (%(types)s::text[] is null or type = any(%(types)s::text[]))
order by position desc
limit %(limit)s
