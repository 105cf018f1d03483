-- Waits until nobody else is changing a delivery. Leans on the primary key.
select id from delivery where id = %s for update
