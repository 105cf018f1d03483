-- Notices with where they go. Leans on the primary keys.
select
  n.id, n.application_id, n.webhook_id, n.kind, n.body, n.created_at, n.attempts, n.next_attempt_at, n.finished_at,
  n.outcome, n.problem, a.notify
from json_each(?) given
cross join notice n on n.id = given.value
left join application a on a.id = n.application_id and a.deleted_at is null
