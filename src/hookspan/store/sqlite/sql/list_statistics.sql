-- A subject's hours, oldest first: one row. Leans on the primary key.
select json_group_array(
  json_array(
    subject_id, hour, events, attempts, attempts_succeeded, deliveries_succeeded, deliveries_failed, json(latency)
  )
)
from (select * from statistic where subject_id = ?1 and hour >= ?2 and hour < ?3 order by hour) found
