-- Keeps a new job. Upkeep of job_application, job_webhook, job_unfinished and job_started.
insert into job (
  id, application_id, webhook_id, kind, state, input, event_state, is_missing, rate, feeds_at, total, unfed,
  created_at, started_at
) values (
  %(id)s, %(application_id)s, %(webhook_id)s, %(kind)s, %(state)s, %(input)s, %(event_state)s, %(is_missing)s, %(rate)s, %(created_at)s, %(total)s,
  %(total)s, %(created_at)s, %(started_at)s
)
