-- Keeps a notice. Upkeep of notice_application, notice_webhook and notice_due.
insert into notice (
  id, application_id, webhook_id, kind, body, created_at, attempts, next_attempt_at, finished_at, outcome
) values (
  %(id)s, %(application_id)s, %(webhook_id)s, %(kind)s, %(body)s, %(created_at)s, 0, %(next_attempt_at)s, %(finished_at)s, %(outcome)s
)
