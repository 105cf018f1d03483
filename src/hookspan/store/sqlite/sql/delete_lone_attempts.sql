-- Drops old attempts that belong to no delivery (tests). Leans on the primary key: older ones are few, all others
-- are dropped with their deliveries.
delete from attempt
where id in (select id from attempt where id < ?1 and delivery_id is null order by id limit ?2)
