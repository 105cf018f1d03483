-- Takes a node out, where a counter is given only as long as it has that one; how many that were. Waits for those of its
-- transactions that hold on to it. What flush of statistics it brought last is kept, for it may bring the same again.
-- Leans on the primary keys.
with gone as (
  delete from node
  where id = %(node)s and (%(counter)s::bigint is null or counter = %(counter)s)
  returning id, statistics_flush
),
kept as (
  insert into fact (name, value)
  select 'flush_' || id, statistics_flush from gone where statistics_flush > 0
  on conflict (name) do update set value = greatest(fact.value, excluded.value)
)
select count(*) from gone
