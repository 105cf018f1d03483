-- Takes a node out; waits for those of its transactions that hold on to it. What flush of statistics it brought last is
-- kept, for it may bring the same again. Leans on the primary keys.
with gone as (
  delete from node where id = %s returning id, statistics_flush
)
insert into fact (name, value)
select 'flush_' || id, statistics_flush from gone where statistics_flush > 0
on conflict (name) do update set value = greatest(fact.value, excluded.value)
