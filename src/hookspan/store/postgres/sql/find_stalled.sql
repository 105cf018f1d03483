-- Which of these webhooks have a stalled delivery, and when the first of them was last tried, or since when the webhook
-- was stalled of which it took that over. Leans on delivery_due and the primary keys.
select given.id, found.since
from unnest(%(webhook_ids)s::bigint[]) given (id)
cross join lateral (
  select min(greatest(coalesce(attempt.started_at, 0), coalesce(stalled.stalled_at, 0))) as since
  from (
    select last_attempt_id, stalled_at from delivery
    where
      state = 1 and node = 0 and webhook_id >= given.id and webhook_id <= given.id and next_attempt_at is null
      and id >= %(low)s
    order by webhook_id, next_attempt_at, event_id
    limit %(most)s
  ) stalled
  left join lateral (select started_at from attempt where id = stalled.last_attempt_id limit 1) attempt on true
) found
where found.since is not null
