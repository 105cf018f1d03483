-- The schema of the tables.
select nspname::text
from pg_class
join pg_namespace on pg_namespace.oid = relnamespace
where pg_class.oid = to_regclass('hookspan')
