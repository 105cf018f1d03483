-- What has failed since each of these webhooks last took a delivery, by error and status, among so many of its newest
-- attempts. Leans on attempt_webhook and the primary key.
with found as materialized (
  select
    a.id, given.id as webhook_id, a.delivery_id, a.error, a.response_status, a.started_at,
    max(case when a.verdict = 1 then a.id else 0 end) over (partition by given.id) as took_at,
    count(*) over (partition by given.id) as looked
  from unnest(%(webhook_ids)s::bigint[]) given (id)
  cross join lateral (
    select id, delivery_id, verdict, error, response_status, started_at from attempt
    where webhook_id >= given.id and webhook_id <= given.id and delivery_id is not null
    order by webhook_id desc, id desc
    limit %(each)s
  ) a
),
picked as (
  select
    webhook_id, error, response_status, count(distinct delivery_id) as deliveries, min(started_at) as first_at,
    max(started_at) as last_at, max(id) as last_id, bool_or(took_at = 0 and looked >= %(each)s) as is_cut
  from found
  where id > took_at
  group by webhook_id, error, response_status
)
select
  picked.webhook_id, picked.error, picked.response_status, picked.deliveries, picked.first_at, picked.last_at,
  found.delivery_id, picked.is_cut
from picked
join found on found.id = picked.last_id
