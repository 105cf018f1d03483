-- How often a node has beaten. Leans on the primary key.
select counter from node where id = %s
