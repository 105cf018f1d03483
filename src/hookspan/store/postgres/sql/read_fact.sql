-- One fact about the database. Leans on the primary key.
select value from fact where name = %s
