-- An application's notices, newest first. Leans on notice_application.
select
  id, application_id, webhook_id, kind, body, created_at, attempts, next_attempt_at, finished_at, outcome, problem
from notice
where application_id = %s
order by id desc
limit %s
