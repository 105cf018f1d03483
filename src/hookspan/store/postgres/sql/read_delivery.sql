-- One delivery of an application. Leans on the primary keys.
select
  d.id, d.application_id, d.webhook_id, d.event_id, e.type, d.run, d.round, d.state, d.reason, d.node <> 0,
  d.attempt_count, d.last_response_status, d.last_attempt_id, case when d.node = 0 then d.next_attempt_at end,
  d.round_started_at, d.finished_at, d.is_aside, d.job_id, d.round_attempts
from delivery d
cross join lateral (select type from event where id = d.event_id limit 1) e
where d.id = %(id)s and d.application_id = %(application_id)s
