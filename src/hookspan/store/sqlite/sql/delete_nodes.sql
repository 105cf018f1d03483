-- Takes every node out: on SQLite only one process can be there.
delete from node
