-- The number of the last flush of statistics that a node brought, also where it was taken out since; nothing where it
-- never was registered, or brought none before. Leans on the primary keys.
select statistics_flush from node where id = %(node)s
union all
select value from fact where name = 'flush_' || %(node)s::bigint
limit 1
