-- What waits for a webhook of any order, in the order in which it goes: what a node holds, then what is scheduled by
-- time, then what is stalled. One row of [event id, type]; at most :most of each are looked at. Leans on
-- delivery_claimed and delivery_due.
select json_group_array(json_array(event_id, type))
from (
  select waiting.event_id, event.type
  from (
    select event_id, place, due_at
    from (
      select d.event_id, 0 as place, 0 as due_at
      from node
      cross join delivery d indexed by delivery_claimed
        on d.node = node.id and d.node <> 0 and d.webhook_id = :webhook_id
      where d.reason is null and d.is_aside = 0
      limit :most
    )
    union all
    select event_id, place, due_at
    from (
      select event_id, 1 as place, next_attempt_at as due_at
      from delivery indexed by delivery_due
      where
        state = 1 and node = 0 and webhook_id = :webhook_id and next_attempt_at is not null
        and reason is null and is_aside = 0
      order by next_attempt_at, event_id
      limit :most
    )
    union all
    select event_id, place, due_at
    from (
      select event_id, 2 as place, 0 as due_at
      from delivery indexed by delivery_due
      where state = 1 and node = 0 and webhook_id = :webhook_id and next_attempt_at is null and reason is null
      order by event_id
      limit :most
    )
  ) waiting
  cross join event on event.id = waiting.event_id
  order by waiting.place, waiting.due_at, waiting.event_id
  limit :most
)
