-- An event's deliveries. Leans on webhook_application and delivery_webhook.
select
  d.id, d.application_id, d.webhook_id, d.event_id, e.type, d.run, d.round, d.state, d.reason, d.node <> 0,
  d.attempt_count, d.last_response_status, d.last_attempt_id, iif(d.node = 0, d.next_attempt_at, null),
  d.round_started_at, d.finished_at, d.is_aside, d.job_id, d.round_attempts
from webhook w
cross join delivery d indexed by delivery_webhook on d.webhook_id = w.id and d.event_id = :event_id
cross join event e on e.id = d.event_id
where w.application_id = :application_id
order by d.id
