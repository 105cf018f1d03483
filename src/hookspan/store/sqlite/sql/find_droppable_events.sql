-- The oldest events below an id of which nothing is in flight: one row of ids. Leans on the primary key and on
-- delivery_claimed, which is short.
select json_group_array(id)
from (
  select id from event
  where
    id < ?1
    and id not in (select event_id from delivery indexed by delivery_claimed where node <> 0 and event_id < ?1)
  order by id
  limit ?2
)
