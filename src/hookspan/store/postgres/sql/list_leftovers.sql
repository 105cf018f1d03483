-- Tables that were partitions of a table, by name: they were detached and not yet dropped. Few tables are looked at. A
-- node of a version before may have made one in another schema of its role's path.
select relname::text from pg_class
where
  relkind = 'r' and not relispartition
  and pg_table_is_visible(oid)
  and relname ~ ('^' || %(parent)s || '_[0-9]+$')
order by relname
