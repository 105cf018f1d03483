-- Drops deliveries. Leans on the primary key.
delete from delivery where id in (select value from json_each(?1))
