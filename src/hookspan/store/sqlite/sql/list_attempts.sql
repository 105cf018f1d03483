-- A webhook's attempts, newest first. Leans on attempt_webhook.
select
  id, delivery_id, webhook_id, event_id, number, round, cause, webhook_version, started_at, duration_us, verdict,
  retry_at, error, error_message, remote_address, request_headers, response_status, response_headers, response_body,
  response_bytes, previous_attempt_id, request_body
from attempt indexed by attempt_webhook
where webhook_id = :webhook_id and id >= :low and id < :high
order by id desc
limit :limit
