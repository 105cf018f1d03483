-- Events of an application after a position, at most :most of them, by type: one row of [type, count, lowest id].
-- Leans on event_position.
select json_group_array(json_array(type, count, lowest))
from (
  select type, count(*) as count, min(id) as lowest
  from (
    select id, type from event indexed by event_position
    where application_id = :application_id and position > :position
    order by position
    limit :most
  )
  group by type
)
