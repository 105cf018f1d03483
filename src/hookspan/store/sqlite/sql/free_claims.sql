-- Frees every claim and counts them as orphaned. What is to be cancelled then (it has
-- a reason) is. Leans on delivery_claimed.
update delivery indexed by delivery_claimed
set
  node = 0,
  state = iif(reason is not null, 4, 1),
  finished_at = iif(reason is not null, ?1, null),
  next_attempt_at = iif(reason is not null, null, ?1),
  round_started_at = min(round_started_at, ?1),
  orphan_count = orphan_count + 1
where node <> 0
