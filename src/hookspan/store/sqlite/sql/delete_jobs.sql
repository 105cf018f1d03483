-- Drops jobs. Leans on the primary key.
delete from job where id in (select value from json_each(?1))
