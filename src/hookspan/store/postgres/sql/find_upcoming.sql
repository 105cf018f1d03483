-- What waits for a webhook of any order, in the order in which it goes: what a node holds, then what is scheduled by
-- time, then what is stalled: event id, type; at most so many of each are looked at. Leans on delivery_claimed and
-- delivery_due.
with recursive holder (node) as (
  select min(node) from delivery where node <> 0 and id >= %(low)s
  union all
  select (select min(node) from delivery where node <> 0 and node > holder.node and id >= %(low)s)
  from holder
  where holder.node is not null
)
select waiting.event_id, e.type
from (
  (
    select d.event_id, 0 as place, 0 as due_at
    from holder
    cross join lateral (
      select event_id, reason, is_aside from delivery
      where node = holder.node and node <> 0 and webhook_id = %(webhook_id)s and id >= %(low)s
      limit %(most)s
    ) d
    where d.reason is null and not d.is_aside
    limit %(most)s
  )
  union all
  (
    select event_id, 1, next_attempt_at
    from delivery
    where
      state = 1 and node = 0 and webhook_id = %(webhook_id)s and next_attempt_at is not null
      and reason is null and not is_aside and id >= %(low)s
    order by next_attempt_at, event_id
    limit %(most)s
  )
  union all
  (
    select event_id, 2, 0
    from delivery
    where
      state = 1 and node = 0 and webhook_id >= %(webhook_id)s and webhook_id <= %(webhook_id)s
      and next_attempt_at is null and reason is null and id >= %(low)s
    order by webhook_id, next_attempt_at, event_id
    limit %(most)s
  )
) waiting
cross join lateral (select type from event where id = waiting.event_id limit 1) e
order by waiting.place, waiting.due_at, waiting.event_id
limit %(most)s
