-- How many bytes the bodies of events have: id, bytes. A statement of its own, since with the ids as a list all other
-- partitions stay out of the plan. Leans on the primary key.
select id, octet_length(body) from event where id = any(%s::bigint[])
