-- The line that a walk over the log ended at, if it went as far as it may. Leans on the primary key.
select id from audit where id >= %(low)s and id < %(high)s order by id desc limit 1 offset %(walk)s - 1
