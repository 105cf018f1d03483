-- Adds counts to those of their hour, and histograms bucket by bucket. Leans on the primary key. Upkeep of
-- statistic_hour.
insert into statistic (
  subject_id, hour, events, attempts, attempts_succeeded, deliveries_succeeded, deliveries_failed, latency
) values (?, ?, ?, ?, ?, ?, ?, ?)
on conflict (subject_id, hour) do update set
  events = events + excluded.events,
  attempts = attempts + excluded.attempts,
  attempts_succeeded = attempts_succeeded + excluded.attempts_succeeded,
  deliveries_succeeded = deliveries_succeeded + excluded.deliveries_succeeded,
  deliveries_failed = deliveries_failed + excluded.deliveries_failed,
  latency = (
    select json_group_object(key, total)
    from (
      select key, sum(value) as total
      from (
        select key, value from json_each(statistic.latency)
        union all
        select key, value from json_each(excluded.latency)
      ) given
      group by key
    ) given
  )
