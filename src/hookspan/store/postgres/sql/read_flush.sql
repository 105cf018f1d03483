-- The number of the last flush of statistics that a node brought; nothing where it is not registered. Leans on the
-- primary key.
select statistics_flush from node where id = %s
