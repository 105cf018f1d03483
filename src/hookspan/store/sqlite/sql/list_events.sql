-- An application's events, newest first, below a position and within a range of ids. Leans on event_position.
select
  id, application_id, publisher_id, type, position, occurred_at, accepted_at, content, content_at,
  content_bytes, context, body
from event indexed by event_position
where
  application_id = :application_id
  and position < :below
  and id >= :low and id < :high
  and (:types is null or type in (select value from json_each(:types)))
order by position desc
limit :limit
