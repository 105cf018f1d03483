-- The pause in force of a scope. Leans on pause_in_force.
select id, scope, profile, application_id, reason, paused_at, ended_at
from pause
where
  ended_at is null and scope = :scope
  and coalesce(profile, '') = coalesce(:profile, '')
  and coalesce(application_id, 0) = coalesce(:application_id, 0)
