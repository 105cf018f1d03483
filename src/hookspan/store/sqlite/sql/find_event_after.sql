-- An application's first event after a position: its id and position. Leans on event_position, which has both.
select id, position from event indexed by event_position
where application_id = ? and position > ?
order by position
limit 1
