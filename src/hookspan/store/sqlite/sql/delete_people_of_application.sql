-- Removes an application's people. Leans on person_application.
delete from person where application_id = ? returning id
