-- Pauses in force, and those that ended not before a time, by id. Walks the small table.
select id, scope, profile, application_id, reason, paused_at, ended_at
from pause
where ended_at is null or ended_at >= %(since)s
order by id
