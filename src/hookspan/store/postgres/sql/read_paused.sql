-- What pauses in force cover: whether everything, which profiles, which applications. Leans on pause_in_force.
select
  coalesce(bool_or(scope = 1), false),
  coalesce(array_agg(profile) filter (where scope = 2), '{}'),
  coalesce(array_agg(application_id) filter (where scope = 3), '{}')
from pause
where ended_at is null
