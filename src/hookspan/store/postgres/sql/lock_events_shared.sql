-- Events that are there, and are not dropped before this transaction ends. Leans on the primary key.
select id from event
where id = any(%(event_ids)s::bigint[]) and id >= %(first)s and id <= %(last)s
order by id
for key share
