-- Below which id no delivery is pending. Leans on the primary key.
select coalesce((select value from fact where name = 'lowest_pending'), 0)
