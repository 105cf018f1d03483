-- A new round, due now, for some of a webhook's stalled deliveries. Leans on delivery_due.
update delivery
set
  next_attempt_at = :now, cause = 6, round = round + 1, round_attempts = 0, round_started_at = null, orphan_count = 0
where id in (
  select id from delivery indexed by delivery_due
  where state = 1 and node = 0 and webhook_id = :webhook_id and next_attempt_at is null
  limit :limit
)
