-- Forgets what was noted. Leans on the primary key.
delete from fact where name = %s
