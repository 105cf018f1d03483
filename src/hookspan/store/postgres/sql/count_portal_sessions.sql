-- How many portal sessions (kind 2) of an application live. Leans on session_application.
select count(*) from session where application_id = %s and kind = 2 and expires_at > %s
