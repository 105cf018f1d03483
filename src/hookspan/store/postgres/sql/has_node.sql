-- Whether a node is registered. Leans on the primary key.
select exists (select 1 from node where id = %s)
