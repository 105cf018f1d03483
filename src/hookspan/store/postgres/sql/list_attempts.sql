-- A webhook's attempts, newest first. Ordered by the webhook too, which no other index is: by the primary key the
-- newest of a webhook that was off for a week would be looked for among all. Leans on attempt_webhook and the primary
-- key.
select
  a.id, a.delivery_id, a.webhook_id, a.event_id, a.number, a.round, a.cause, a.webhook_version, a.started_at,
  a.duration_us, a.verdict, a.retry_at, a.error, a.error_message, a.remote_address, a.request_headers,
  a.response_status, a.response_headers, a.response_body, a.response_bytes, a.previous_attempt_id, a.request_body
from (
  select id from attempt
  where webhook_id >= %(webhook_id)s and webhook_id <= %(webhook_id)s and id >= %(low)s and id < %(high)s
  order by webhook_id desc, id desc
  limit %(limit)s
) found
cross join lateral (select * from attempt where id = found.id limit 1) a
order by a.id desc
