-- For the rest of the transaction what is made is made in the schema of the tables.
select set_config('search_path', quote_ident(nspname), true)
from pg_class
join pg_namespace on pg_namespace.oid = relnamespace
where pg_class.oid = to_regclass('hookspan')
