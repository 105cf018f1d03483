-- Keeps a fact, over what was there.
insert into fact (name, value) values (?, ?) on conflict (name) do update set value = excluded.value
