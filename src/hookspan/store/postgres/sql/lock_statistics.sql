-- Locks hours in the one order of all who add; their histograms. Leans on the primary key.
select kept.subject_id, kept.hour, kept.latency
from unnest(%(subjects)s::bigint[], %(hours)s::bigint[]) as given (subject_id, hour)
join statistic as kept on kept.subject_id = given.subject_id and kept.hour = given.hour
order by kept.subject_id, kept.hour
for no key update of kept
