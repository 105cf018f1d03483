-- A copy is whole. Leans on the primary key.
delete from fact where name = 'copy'
