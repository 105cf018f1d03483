-- Drops events. Leans on the primary key.
delete from event where id in (select value from json_each(?1))
