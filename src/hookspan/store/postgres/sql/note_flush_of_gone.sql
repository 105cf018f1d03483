-- Notes the flush of statistics of a node that was taken out, unless it was noted before. Leans on the primary key.
insert into fact (name, value) values ('flush_' || %(node)s::bigint, %(number)s)
on conflict (name) do update set value = excluded.value
where fact.value < excluded.value
