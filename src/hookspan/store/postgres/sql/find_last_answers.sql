-- What came of the newest attempt of webhooks, tests left out. Leans on attempt_webhook.
select given.id, newest.started_at, newest.response_status, newest.error
from unnest(%(webhook_ids)s::bigint[]) as given (id)
cross join lateral (
  select found.started_at, found.response_status, found.error
  from (
    select id, delivery_id, started_at, response_status, error from attempt
    where webhook_id = given.id
    order by id desc
    limit %(most)s
  ) as found
  where found.delivery_id is not null
  order by found.id desc
  limit 1
) as newest
