-- An application's first event after a position: when it was accepted, and its position. Leans on event_position.
select accepted_at, position from event indexed by event_position
where application_id = ? and position > ?
order by position
limit 1
