-- The newest events of an application between two positions, accepted in [since, until), of some types or all, and
-- whether each is undelivered: something of it is pending or failed, or nothing has succeeded. Leans on event_position
-- and delivery_event.
select found.id, found.position, coalesce(sent.is_open, false) or not coalesce(sent.is_done, false)
from (
  select id, position from event
  where
    application_id = %(application_id)s
    and position > %(after)s and position < %(below)s
    and accepted_at >= %(since)s and accepted_at < %(until)s
    and (%(types)s::text[] is null or type = any(%(types)s::text[]))
  order by position desc
  limit %(limit)s
) found
cross join lateral (
  select bool_or(state in (1, 3)) as is_open, bool_or(state = 2) as is_done from delivery where event_id = found.id
) sent
order by found.position desc
