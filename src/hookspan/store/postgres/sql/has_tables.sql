-- Whether there is any table in the schema in which ours would be made.
select exists (
  select 1 from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
)
