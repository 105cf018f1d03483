-- Notes when the people of these sessions were seen, in id order. Leans on the primary keys.
with seen as (
  select s.person_id as id, max(given.at) as at
  from unnest(%(ids)s::bigint[], %(times)s::bigint[]) as given (id, at)
  join session as s on s.id = given.id
  group by s.person_id
),
held as (
  select p.id, seen.at
  from seen
  join person as p on p.id = seen.id
  order by p.id
  for no key update of p
)
update person as p
set last_seen_at = greatest(p.last_seen_at, held.at)
from held
where p.id = held.id
