-- Keeps a number, over what was there.
insert into fact (name, value) values (%s, %s) on conflict (name) do update set value = excluded.value
