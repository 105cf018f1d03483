-- The same, locked.
insert into fact (name, value) values ('lowest_pending', 0)
on conflict (name) do update set value = fact.value
returning value
