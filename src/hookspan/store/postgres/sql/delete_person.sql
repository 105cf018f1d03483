-- Removes someone. Leans on the primary key.
delete from person where id = %s returning id
