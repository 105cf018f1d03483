-- A node's heartbeat. Leans on the primary key.
update node set counter = counter + 1 where id = %s
