-- What a whole copy was made of; nothing where the database is none. Leans on the primary key.
select bytes from fact where name = 'copied'
