-- Notes the highest id that was dropped.
insert into fact (name, value) values ('highest_dropped_id', ?)
on conflict (name) do update set value = max(value, excluded.value)
