-- Adds counts of everything (subject 0) to those of their hour, and histograms bucket by bucket: in one statement, and the
-- last one, so that the row that everybody adds to is held for little more than the commit. Leans on the primary key.
-- Upkeep of statistic_hour.
insert into statistic as kept (
  subject_id, hour, events, attempts, attempts_succeeded, deliveries_succeeded, deliveries_failed, latency
)
select *
from
  unnest(
    %(subjects)s::bigint[], %(hours)s::bigint[], %(events)s::bigint[], %(attempts)s::bigint[],
    %(attempts_succeeded)s::bigint[], %(deliveries_succeeded)s::bigint[], %(deliveries_failed)s::bigint[],
    %(latencies)b::text[]
  ) as given (subject_id, hour)
order by given.hour
on conflict (subject_id, hour) do update set
  events = kept.events + excluded.events,
  attempts = kept.attempts + excluded.attempts,
  attempts_succeeded = kept.attempts_succeeded + excluded.attempts_succeeded,
  deliveries_succeeded = kept.deliveries_succeeded + excluded.deliveries_succeeded,
  deliveries_failed = kept.deliveries_failed + excluded.deliveries_failed,
  latency = case
    when excluded.latency = '{}' then kept.latency
    when kept.latency = '{}' then excluded.latency
    else (
      select json_object_agg(given.key, given.total)::text
      from (
        select one.key, sum(one.value::bigint) as total
        from (
          select * from json_each_text(kept.latency::json)
          union all
          select * from json_each_text(excluded.latency::json)
        ) as one
        group by one.key
      ) as given
    )
  end
