-- Keeps a new job. Upkeep of job_application, job_webhook, job_unfinished and job_started.
insert into job (
  id, application_id, webhook_id, kind, state, input, event_state, is_missing, rate, feeds_at, total, unfed,
  created_at, started_at
) values (
  :id, :application_id, :webhook_id, :kind, :state, :input, :event_state, :is_missing, :rate, :created_at, :total,
  :total, :created_at, :started_at
)
