-- Takes a node out, where a counter is given only as long as it has that one. Leans on the primary key.
delete from node where id = ?1 and (?2 is null or counter = ?2)
