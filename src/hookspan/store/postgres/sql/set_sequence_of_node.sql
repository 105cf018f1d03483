-- Nodes are numbered above the highest that there ever was.
select setval(pg_get_serial_sequence('node', 'id'), %(highest)s::bigint) where %(highest)s::bigint > 0
