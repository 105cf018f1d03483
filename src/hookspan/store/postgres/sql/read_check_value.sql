-- The encryption check value. Leans on the primary key.
select bytes from fact where name = 'check_value'
