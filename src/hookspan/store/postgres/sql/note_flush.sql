-- Notes a node's flush of statistics, unless it was noted before. Leans on the primary key.
update node set statistics_flush = %(number)s where id = %(node)s and statistics_flush < %(number)s
