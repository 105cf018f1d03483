-- An application's first event after a position: its id and position. Leans on event_position, which has both.
select id, position from event
where application_id = %s and position > %s
order by position
limit 1
