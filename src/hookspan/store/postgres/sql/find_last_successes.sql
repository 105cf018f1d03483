-- When webhooks last took a delivery, as far as the newest so many attempts of each tell. Leans on attempt_webhook.
select given.id, found.at
from unnest(%(webhook_ids)s::bigint[]) given (id)
cross join lateral (
  select newest.started_at + newest.duration_us / 1000 as at
  from (
    select id, started_at, duration_us, verdict, delivery_id from attempt
    where webhook_id >= given.id and webhook_id <= given.id
    order by webhook_id desc, id desc
    limit %(most)s
  ) newest
  where newest.verdict = 1 and newest.delivery_id is not null
  order by newest.id desc
  limit 1
) found
