-- The next events of an application after a position, up to another. Leans on event_position.
select id, type, position from event
where application_id = %(application_id)s and position > %(position)s and position <= %(last)s
order by position
limit %(limit)s
