-- Takes a node out; waits for those of its transactions that hold on to it. Leans on the primary key.
delete from node where id = %s
