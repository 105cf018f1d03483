-- Fails scheduled deliveries as expired, those still scheduled; one that somebody else is changing is passed by. Leans
-- on the primary key.
with chosen as materialized (
  select id from delivery
  where id = any(%(ids)s::bigint[]) and state + 0 = 1 and node + 0 = 0
  order by id
  for update skip locked
)
update delivery
set state = 3, reason = 2, finished_at = %(now)s, next_attempt_at = null
where id = any(array(select id from chosen))
