-- How far a copy into this database has come; nothing where none is under way. Leans on the primary key.
select bytes from fact where name = 'copy'
