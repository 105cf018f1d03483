-- Ends a session. Leans on the primary key.
delete from session where id = %s returning id
