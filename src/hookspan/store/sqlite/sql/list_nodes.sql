-- Every registered node, at least one here. Walks the primary key.
select id, counter from node where id > 0 order by id
