-- The partitions of a table that are attached, by name.
select child.relname::text
from pg_inherits
join pg_class child on child.oid = pg_inherits.inhrelid
where pg_inherits.inhparent = to_regclass(%(parent)s) and not pg_inherits.inhdetachpending
order by child.relname
