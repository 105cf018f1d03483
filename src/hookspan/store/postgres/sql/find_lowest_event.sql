-- The oldest event there is. Leans on the primary key.
select min(id) from event
