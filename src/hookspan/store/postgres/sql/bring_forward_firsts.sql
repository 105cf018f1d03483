-- Makes first attempts due that a clock since set back had put into the future, at most :limit. Walks delivery_due.
with chosen as materialized (
  select id from delivery
  where state = 1 and node = 0 and attempt_count = 0 and next_attempt_at > %(now)s
  limit %(limit)s
  for no key update skip locked
)
update delivery set next_attempt_at = %(now)s where id = any(array(select id from chosen))
