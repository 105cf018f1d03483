-- Notes when sessions were used and until when that lets them live, in id order. Leans on the primary key.
with held as (
  select s.id, given.at, given.expires_at
  from unnest(%(ids)s::bigint[], %(times)s::bigint[], %(ends)s::bigint[]) as given (id, at, expires_at)
  join session as s on s.id = given.id
  order by s.id
  for no key update of s
)
update session as s
set
  last_seen_at = greatest(s.last_seen_at, held.at),
  expires_at = least(s.ends_at, greatest(s.expires_at, held.expires_at))
from held
where s.id = held.id
