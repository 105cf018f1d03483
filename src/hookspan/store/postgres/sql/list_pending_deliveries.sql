-- The same for pending ones where they are few: all are looked at. Leans on webhook_application, delivery_due and
-- delivery_claimed.
with recursive holder (node) as (
  select min(node) from delivery where node <> 0 and id >= %(low)s
  union all
  select (select min(node) from delivery where node <> 0 and node > holder.node and id >= %(low)s)
  from holder
  where holder.node is not null
)
select
  d.id, d.application_id, d.webhook_id, d.event_id, e.type, d.run, d.round, d.state, d.reason, d.node <> 0,
  d.attempt_count, d.last_response_status, d.last_attempt_id, case when d.node = 0 then d.next_attempt_at end,
  d.round_started_at, d.finished_at, d.is_aside, d.job_id, d.round_attempts
from webhook w
cross join lateral (
  (
    select * from delivery
    where state = 1 and node = 0 and webhook_id >= w.id and webhook_id <= w.id and id >= %(low)s
    order by webhook_id, next_attempt_at
    limit %(most)s
  )
  union all
  select x.*
  from holder
  cross join lateral (
    select * from delivery
    where node = holder.node and node <> 0 and webhook_id = w.id and state = 1 and id >= %(low)s
    limit %(most)s
  ) x
) d
cross join lateral (select type from event where id = d.event_id limit 1) e
where
  w.application_id = %(application_id)s and w.id >= %(webhook_low)s and w.id <= %(webhook_high)s
  and d.event_id >= %(since)s and d.event_id < %(high)s
  and (d.event_id, d.run, d.id) < (%(before_event)s, %(before_run)s, %(before)s)
  and (%(type)s::text is null or e.type = %(type)s::text)
order by d.event_id desc, d.run desc, d.id desc
limit %(limit)s
