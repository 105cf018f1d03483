-- The heads of fifo webhooks that are stalled, with their rounds and since when. Leans on delivery_fifo and the primary
-- keys.
select
  head.webhook_id, head.id, head.round_attempts, head.round_started_at,
  max(coalesce(attempt.started_at, 0), coalesce(head.stalled_at, 0))
from json_each(:webhook_ids) given
cross join delivery head on head.id = (
  select min(id) from delivery indexed by delivery_fifo where webhook_id = given.value and state = 1 and is_fifo = 1
)
left join attempt on attempt.id = head.last_attempt_id
where head.node = 0 and head.next_attempt_at is null
