-- Keeps the attempt of a test, with what it has sent. Upkeep of attempt_webhook.
insert into attempt (
  id, delivery_id, webhook_id, event_id, number, round, cause, webhook_version, started_at, duration_us, verdict,
  retry_at, error, error_message, remote_address, request_headers, response_status, response_headers, response_body,
  response_bytes, previous_attempt_id, request_body
) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
