-- Gives applications of the inbox free that a node has. Leans on the primary key.
delete from inbox_hold where node = %(node)s and application = any(%(applications)s::text[])
