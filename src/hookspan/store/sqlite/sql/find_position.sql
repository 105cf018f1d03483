-- An event's position. Leans on the primary key.
select position from event where id = ? and application_id = ?
