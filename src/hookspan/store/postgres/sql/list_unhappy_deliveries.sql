-- The same for failed or cancelled ones, which are few. Leans on webhook_application and delivery_unhappy.
select
  d.id, d.application_id, d.webhook_id, d.event_id, e.type, d.run, d.round, d.state, d.reason, d.node <> 0,
  d.attempt_count, d.last_response_status, d.last_attempt_id, case when d.node = 0 then d.next_attempt_at end,
  d.round_started_at, d.finished_at, d.is_aside, d.job_id, d.round_attempts
from (
  select d.* from webhook w
  cross join lateral (
    select x.* from delivery x
    where
      x.webhook_id >= w.id and x.webhook_id <= w.id
      and x.id >= %(lowest)s
      and x.event_id >= %(low)s and x.event_id < %(high)s and x.event_id <= %(before_event)s
      and (x.event_id, x.run, x.id) < (%(before_event)s, %(before_run)s, %(before)s)
      and (select coalesce(type = %(type)s::text, true) from event where id = x.event_id)
      and x.state >= 3 and x.state = %(state)s::smallint
    order by x.webhook_id desc, x.event_id desc, x.run desc
    limit %(limit)s
  ) d
  where w.application_id = %(application_id)s and w.id >= %(webhook_low)s and w.id <= %(webhook_high)s
  order by d.event_id desc, d.run desc, d.id desc
  limit %(limit)s
) d
cross join lateral (select type from event where id = d.event_id limit 1) e
order by d.event_id desc, d.run desc, d.id desc
