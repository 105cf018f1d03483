-- A new round, due now, for some of a webhook's stalled deliveries. Leans on delivery_due.
with chosen as materialized (
  select id from delivery
  where
    state = 1 and node = 0 and webhook_id >= %(webhook_id)s and webhook_id <= %(webhook_id)s
    and next_attempt_at is null and id >= %(low)s
  order by webhook_id, next_attempt_at, event_id
  limit %(limit)s
  for update skip locked
)
update delivery
set
  next_attempt_at = %(now)s, cause = 6, round = round + 1, round_attempts = 0, round_started_at = null,
  orphan_count = 0
where id = any(array(select id from chosen))
