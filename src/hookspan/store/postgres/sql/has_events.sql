-- Whether an application has any event. Leans on event_position.
select (select position from event where application_id = %s order by position limit 1) is not null
