-- What pauses in force cover: whether everything, and as JSON which profiles and which applications. Leans on
-- pause_in_force.
select
  coalesce(max(scope = 1), 0),
  json_group_array(profile) filter (where scope = 2),
  json_group_array(application_id) filter (where scope = 3)
from pause
where ended_at is null
