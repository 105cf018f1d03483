-- Deliveries of webhooks in a range of ids, newest event first, below a delivery. Each webhook gives at most
-- :limit. Leans on webhook_application and delivery_webhook.
select
  d.id, d.application_id, d.webhook_id, d.event_id, e.type, d.run, d.round, d.state, d.reason, d.node <> 0,
  d.attempt_count, d.last_response_status, d.last_attempt_id, iif(d.node = 0, d.next_attempt_at, null),
  d.round_started_at, d.finished_at, d.is_aside, d.job_id, d.round_attempts
from webhook w
cross join delivery d on d.id in (
    select x.id from delivery x indexed by delivery_webhook
    where
      x.webhook_id = w.id
      and x.event_id >= :low and x.event_id < :high
      and (x.event_id, x.run, x.id) < (:before_event, :before_run, :before)
      and (:type is null or (select type from event where id = x.event_id) = :type)
      and (:state is null or x.state = :state)
    order by x.event_id desc, x.run desc
    limit :limit
)
cross join event e on e.id = d.event_id
where w.application_id = :application_id and w.id >= :webhook_low and w.id <= :webhook_high
order by d.event_id desc, d.run desc, d.id desc
limit :limit
