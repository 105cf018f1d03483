-- Tables that were partitions of a table, by name: they were detached and not yet dropped. Few tables are looked at.
select relname::text from pg_class
where
  relkind = 'r' and not relispartition
  and relnamespace = (select relnamespace from pg_class where oid = %(parent)s::regclass)
  and relname ~ ('^' || %(parent)s || '_[0-9]+$')
order by relname
