-- A subject's hours, oldest first. Leans on the primary key.
select
  subject_id, hour, events, attempts, attempts_succeeded, deliveries_succeeded, deliveries_failed, latency
from statistic
where subject_id = %s and hour >= %s and hour < %s
order by hour
