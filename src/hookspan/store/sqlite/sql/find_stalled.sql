-- Which of these webhooks have a stalled delivery, and when the first of them was last tried, or since when the webhook
-- was stalled of which it took that over. Leans on delivery_due and the primary keys.
select
  given.value,
  (
    select min(max(coalesce(attempt.started_at, 0), coalesce(stalled.stalled_at, 0)))
    from (
      select last_attempt_id, stalled_at from delivery indexed by delivery_due
      where state = 1 and node = 0 and webhook_id = given.value and next_attempt_at is null
      limit :most
    ) stalled
    left join attempt on attempt.id = stalled.last_attempt_id
  ) as since
from json_each(:webhook_ids) given
where since is not null
