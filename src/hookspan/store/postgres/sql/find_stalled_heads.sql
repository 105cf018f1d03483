-- The heads of fifo webhooks that are stalled, with their rounds and since when. Leans on delivery_fifo and the primary
-- keys.
select
  head.webhook_id, head.id, head.round_attempts, head.round_started_at,
  greatest(coalesce(attempt.started_at, 0), coalesce(head.stalled_at, 0))
from unnest(%(webhook_ids)s::bigint[]) given (id)
cross join lateral (
  select webhook_id, id, node, next_attempt_at, round_attempts, round_started_at, stalled_at, last_attempt_id
  from delivery
  where webhook_id = given.id and state = 1 and is_fifo and id >= %(low)s
  order by id
  limit 1
) head
left join lateral (select started_at from attempt where id = head.last_attempt_id limit 1) attempt on true
where head.node = 0 and head.next_attempt_at is null
