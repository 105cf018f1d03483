-- Every column of the tables' schema, with its type.
select table_name::text, column_name::text, data_type::text
from information_schema.columns
where
  table_schema = (
    select nspname
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    where pg_class.oid = to_regclass('hookspan')
  )
