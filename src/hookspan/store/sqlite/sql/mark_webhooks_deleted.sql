-- Takes an application's webhooks out of reach, without their credentials. Leans on webhook_application.
update webhook
set
  status = 4, status_reason = null, credentials = :credentials, sweep_reason = :sweep_reason, version = version + 1,
  updated_at = :now
where application_id = :application_id and status <> 4
