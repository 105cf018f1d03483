-- Notes when keys were used, [[id, ms], …]. Leans on the primary key.
update access_key
set last_used_at = max(coalesce(last_used_at, 0), given.at)
from (
  select value ->> 0 as id, value ->> 1 as at from json_each(?)
) as given
where access_key.id = given.id
