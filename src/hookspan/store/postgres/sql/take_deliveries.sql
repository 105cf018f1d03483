-- Claims locked deliveries for a node, and gives all that sending needs; the claim number only grows. Leans on the
-- primary keys; coalesce() hides from a planner without statistics (of a day that is young) a partial index that it
-- would walk instead. The events are named as a list too, which keeps partitions out of the plan.
with taken as (
  update delivery set node = %(node)s, claim = claim + 1
  where id = any(%(ids)s::bigint[]) and coalesce(state = 1 and node = 0, false)
  returning *
)
select
  taken.id, taken.claim, taken.application_id, taken.webhook_id, taken.event_id, event.type, taken.run, taken.round,
  taken.cause, taken.attempt_count, taken.round_attempts, taken.round_started_at, taken.orphan_count,
  taken.last_attempt_id, event.occurred_at, event.body, taken.is_aside
from taken
cross join lateral (
  select type, occurred_at, body from event
  where event.id = taken.event_id and event.id = any(%(event_ids)s::bigint[])
  limit 1
) as event
