-- Makes the rows of hours that are not there yet, with nothing counted, in the one order of all who add. Leans on the
-- primary key. Upkeep of statistic_hour.
insert into statistic (
  subject_id, hour, events, attempts, attempts_succeeded, deliveries_succeeded, deliveries_failed, latency
)
select given.subject_id, given.hour, 0, 0, 0, 0, 0, '{}'
from unnest(%(subjects)s::bigint[], %(hours)s::bigint[]) as given (subject_id, hour)
where not exists (
  select 1 from statistic as kept where kept.subject_id = given.subject_id and kept.hour = given.hour
)
order by given.subject_id, given.hour
on conflict (subject_id, hour) do nothing
