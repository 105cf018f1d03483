-- Keys are numbered above those that are there. Leans on the primary key.
select setval(pg_get_serial_sequence('idempotency', 'id'), max(id)) from idempotency having max(id) is not null
