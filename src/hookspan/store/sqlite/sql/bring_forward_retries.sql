-- Makes retries due within :spread ms that a clock since set back had put far into the future, at most :limit. Walks
-- delivery_due.
update delivery
set next_attempt_at = :now + id % :spread, round_started_at = min(round_started_at, :now)
where id in (
  select id from delivery indexed by delivery_due
  where state = 1 and node = 0 and next_attempt_at > :latest
  limit :limit
)
