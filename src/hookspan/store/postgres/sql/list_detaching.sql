-- Partitions of a table whose detaching was broken off, by name.
select child.relname::text
from pg_inherits
join pg_class child on child.oid = pg_inherits.inhrelid
where pg_inherits.inhparent = to_regclass(%(parent)s) and pg_inherits.inhdetachpending
order by child.relname
