-- A delivery's newest attempts, newest first: the chain from its last one. Leans on the primary key.
with recursive chain as (
  select 1 as place, attempt.* from attempt where id = %(last_attempt_id)s
  union all
  select chain.place + 1, attempt.*
  from chain
  join attempt on attempt.id = chain.previous_attempt_id
  where chain.place < %(limit)s
)
select
  id, delivery_id, webhook_id, event_id, number, round, cause, webhook_version, started_at, duration_us, verdict,
  retry_at, error, error_message, remote_address, request_headers, response_status, response_headers, response_body,
  response_bytes, previous_attempt_id, request_body
from chain
order by place
