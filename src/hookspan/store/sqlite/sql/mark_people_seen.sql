-- Notes when the people of these sessions were seen, [[session id, ms, ms], …]. Leans on the primary keys.
update person
set last_seen_at = max(coalesce(last_seen_at, 0), given.at)
from (
  select s.person_id as id, max(value ->> 1) as at
  from json_each(?)
  cross join session s on s.id = value ->> 0
  group by s.person_id
) as given
where person.id = given.id
