-- A pause in force by its id. Leans on the primary key.
select id, scope, profile, application_id, reason, paused_at, ended_at
from pause
where id = %(id)s and ended_at is null
