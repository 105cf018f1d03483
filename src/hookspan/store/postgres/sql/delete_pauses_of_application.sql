-- All pauses of an application, which is being deleted. Leans on pause_application.
delete from pause where application_id = %s
