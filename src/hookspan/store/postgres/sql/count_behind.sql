-- Events of an application after a position, at most so many of them, by type: type, count, lowest id. Leans on
-- event_position.
select type, count(*), min(id)
from (
  select id, type from event
  where application_id = %(application_id)s and position > %(position)s
  order by position
  limit %(most)s
) behind
group by type
