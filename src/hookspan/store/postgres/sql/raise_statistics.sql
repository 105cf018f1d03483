-- Adds counts to those of hours that are locked, and puts their histograms in place. Leans on the primary key.
update statistic as kept
set
  events = kept.events + given.events,
  attempts = kept.attempts + given.attempts,
  attempts_succeeded = kept.attempts_succeeded + given.attempts_succeeded,
  deliveries_succeeded = kept.deliveries_succeeded + given.deliveries_succeeded,
  deliveries_failed = kept.deliveries_failed + given.deliveries_failed,
  latency = given.latency
from
  unnest(
    %(subjects)s::bigint[], %(hours)s::bigint[], %(events)s::bigint[], %(attempts)s::bigint[],
    %(attempts_succeeded)s::bigint[], %(deliveries_succeeded)s::bigint[], %(deliveries_failed)s::bigint[],
    %(latencies)b::text[]
  ) as given (
    subject_id, hour, events, attempts, attempts_succeeded, deliveries_succeeded, deliveries_failed, latency
  )
where kept.subject_id = given.subject_id and kept.hour = given.hour
