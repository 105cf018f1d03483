-- Notes when keys were used, in id order. Leans on the primary key.
with held as (
  select k.id, given.at
  from unnest(%(ids)s::bigint[], %(times)s::bigint[]) as given (id, at)
  join access_key as k on k.id = given.id
  order by k.id
  for no key update of k
)
update access_key as k
set last_used_at = greatest(k.last_used_at, held.at)
from held
where k.id = held.id
