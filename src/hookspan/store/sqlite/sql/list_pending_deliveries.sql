-- The same for pending ones where they are few: all are looked at. Leans on webhook_application, delivery_due and
-- delivery_claimed.
select
  d.id, d.application_id, d.webhook_id, d.event_id, e.type, d.run, d.round, d.state, d.reason, d.node <> 0,
  d.attempt_count, d.last_response_status, d.last_attempt_id, iif(d.node = 0, d.next_attempt_at, null),
  d.round_started_at, d.finished_at, d.is_aside, d.job_id, d.round_attempts
from webhook w
cross join delivery d on d.id in (
    select x.id from delivery x indexed by delivery_due
    where
      x.state = 1 and x.node = 0 and x.webhook_id = w.id
      and x.event_id >= :low and x.event_id < :high
      and (x.event_id, x.run, x.id) < (:before_event, :before_run, :before)
      and (:type is null or (select type from event where id = x.event_id) = :type)
    union all
    select x.id from node
    cross join delivery x indexed by delivery_claimed on x.node = node.id and x.node <> 0 and x.webhook_id = w.id
    where
      x.event_id >= :low and x.event_id < :high
      and (x.event_id, x.run, x.id) < (:before_event, :before_run, :before)
      and (:type is null or (select type from event where id = x.event_id) = :type)
)
cross join event e on e.id = d.event_id
where w.application_id = :application_id and w.id >= :webhook_low and w.id <= :webhook_high
order by d.event_id desc, d.run desc, d.id desc
limit :limit
