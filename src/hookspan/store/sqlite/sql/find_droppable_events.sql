-- Events between two ids of which nothing is in flight, oldest first: one row of ids. Leans on the primary key and on
-- delivery_claimed, which is short.
select json_group_array(id)
from (
  select id from event
  where
    id > :after and id < :below
    and id not in (select event_id from delivery indexed by delivery_claimed where node <> 0 and event_id < :below)
  order by id
  limit :limit
)
