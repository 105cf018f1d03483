-- An application's events, newest first, between two positions and accepted in [since, until). Leans on event_position.
select
  id, application_id, publisher_id, type, position, occurred_at, accepted_at, content, content_at,
  content_bytes, context, body
from event indexed by event_position
where
  application_id = :application_id
  and position > :after and position < :below
  and accepted_at >= :since and accepted_at < :until
  and (:types is null or type in (select value from json_each(:types)))
order by position desc
limit :limit
