-- Locks events, so that nobody makes deliveries of them; one that somebody else holds is passed by. Leans on the
-- primary key.
select id from event where id = any(%s::bigint[]) order by id for update skip locked
