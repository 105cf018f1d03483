-- Counts an attempt of notices and puts them off, so that nobody else takes them; with where they go. Those that somebody
-- else takes at this moment are left to that one. Leans on the primary keys.
with held as (
  select id from notice
  where id = any(%(ids)s::bigint[]) and finished_at is null and next_attempt_at <= %(now)s
  order by id
  for update skip locked
)
update notice as n
set attempts = n.attempts + 1, next_attempt_at = %(until)s
from held
where n.id = held.id
returning
  n.id, n.application_id, n.webhook_id, n.kind, n.body, n.created_at, n.attempts, n.next_attempt_at, n.finished_at,
  n.outcome, n.problem,
  (select a.notify from application as a where a.id = n.application_id and a.deleted_at is null)
