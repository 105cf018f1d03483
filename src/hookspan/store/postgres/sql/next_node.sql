-- An id for a node that was never given before.
select nextval(pg_get_serial_sequence('node', 'id'))
