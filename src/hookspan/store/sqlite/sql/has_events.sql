-- Whether an application has any event. Leans on event_position.
select exists (select 1 from event where application_id = ?)
