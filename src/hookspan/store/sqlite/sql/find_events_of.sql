-- Some events of an application of which nothing is in flight, oldest first: one row of ids. Leans on event_position and
-- on delivery_claimed, which is short.
select json_group_array(id)
from (
  select id from event indexed by event_position
  where
    application_id = ?1
    and id not in (select event_id from delivery indexed by delivery_claimed where node <> 0)
  order by position
  limit ?2
)
