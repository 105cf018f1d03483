-- Ends an application's sessions, of its people and of its portal. Leans on session_application.
delete from session where application_id = ? and kind in (1, 2) returning id
