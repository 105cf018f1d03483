-- The next events of an application after a position: one row of [id, type, position]. Leans on event_position.
select json_group_array(json_array(id, type, position))
from (
  select id, type, position from event where application_id = ?1 and position > ?2 order by position limit ?3
)
