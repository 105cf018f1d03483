-- A deleted application, locked; no row where somebody else is taking out what it has left. Leans on the primary key.
select id from application where id = %s and deleted_at is not null for update skip locked
