-- Keeps the attempt of a test, with what it has sent. Upkeep of attempt_webhook.
insert into attempt (
  id, delivery_id, webhook_id, event_id, number, round, cause, webhook_version, started_at, duration_us, verdict,
  retry_at, error, error_message, remote_address, request_headers, response_status, response_headers, response_body,
  response_bytes, previous_attempt_id, request_body
) values (
  %(id)s, %(delivery_id)s, %(webhook_id)s, %(event_id)s, %(number)s, %(round)s, %(cause)s, %(webhook_version)s,
  %(started_at)s, %(duration_us)s, %(verdict)s, %(retry_at)s, %(error)s, %(error_message)s, %(remote_address)s,
  %(request_headers)b, %(response_status)s, %(response_headers)b, %(response_body)b, %(response_bytes)s,
  %(previous_attempt_id)s, %(request_body)b
)
