-- The line that a walk over the log ended at, if it went as far as it may. Leans on the primary key.
select id from audit where id >= :low and id < :high order by id desc limit 1 offset :walk - 1
