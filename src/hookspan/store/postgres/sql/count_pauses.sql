-- How many pauses are in force. Leans on pause_in_force.
select count(*) from pause where ended_at is null
