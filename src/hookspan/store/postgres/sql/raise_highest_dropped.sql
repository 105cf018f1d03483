-- Notes the highest id that was dropped.
insert into fact (name, value) values ('highest_dropped_id', %s)
on conflict (name) do update set value = greatest(fact.value, excluded.value)
where fact.value is null or fact.value < excluded.value
