-- Keeps events. Upkeep of event_position.
insert into event (
  id, application_id, position, type, publisher_id, occurred_at, accepted_at, content, content_at, content_bytes,
  context, body
) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
