-- Makes retries due within :spread ms that a clock since set back had put far into the future, at most :limit. Walks
-- delivery_due.
with chosen as materialized (
  select id from delivery
  where state = 1 and node = 0 and next_attempt_at > %(latest)s
  limit %(limit)s
  for no key update skip locked
)
update delivery
set
  next_attempt_at = %(now)s + id %% %(spread)s,
  round_started_at = case when round_started_at > %(now)s then %(now)s::bigint else round_started_at end
where id = any(array(select id from chosen))
