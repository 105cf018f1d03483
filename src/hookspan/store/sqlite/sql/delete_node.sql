-- Takes a node out. Leans on the primary key.
delete from node where id = ?
