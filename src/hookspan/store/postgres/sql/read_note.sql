-- Bytes that are noted about the database itself. Leans on the primary key.
select bytes from fact where name = %s
