-- Notes when sessions were used and until when that lets them live, [[id, ms, ms], …]. Leans on the primary key.
update session
set
  last_seen_at = max(coalesce(last_seen_at, 0), given.at),
  expires_at = min(ends_at, max(session.expires_at, given.expires_at))
from (
  select value ->> 0 as id, value ->> 1 as at, value ->> 2 as expires_at from json_each(?)
) as given
where session.id = given.id
