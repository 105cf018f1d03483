-- Every column of the schema, with its type.
select table_name::text, column_name::text, data_type::text
from information_schema.columns
where table_schema = current_schema()
