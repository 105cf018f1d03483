-- Drops an application. Leans on the primary key.
delete from application where id = %s
