-- Takes every node out: on SQLite only one process can be there. Walks the table of a row or two.
delete from node
