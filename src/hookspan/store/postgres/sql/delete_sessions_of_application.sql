-- Ends an application's sessions, of its people and of its portal, in id order. Leans on session_application.
delete from session
where id in (select id from session where application_id = %s and kind in (1, 2) order by id for update)
returning id
