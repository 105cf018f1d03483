-- Pauses that an application is under with others, or was lately, those in force first. Walks the small table.
select p.id, p.scope, p.profile, p.application_id, p.reason, p.paused_at, p.ended_at
from pause p
where
  p.scope = 1
  or p.scope = 2 and p.profile = (select a.profile from application a where a.id = %(application_id)s)
order by p.ended_at is not null, p.id
