-- A delivery's newest attempts, newest first: the chain from its last one. Leans on the primary key.
with recursive chain (place, attempt_id) as (
  select 1, :last_attempt_id
  union all
  select chain.place + 1, attempt.previous_attempt_id
  from chain
  cross join attempt on attempt.id = chain.attempt_id
  where chain.place < :limit and attempt.previous_attempt_id is not null
)
select
  id, delivery_id, webhook_id, event_id, number, round, cause, webhook_version, started_at, duration_us, verdict,
  retry_at, error, error_message, remote_address, request_headers, response_status, response_headers, response_body,
  response_bytes, previous_attempt_id, request_body
from chain
cross join attempt on attempt.id = chain.attempt_id
order by chain.place
