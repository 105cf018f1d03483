-- What has failed since each of these webhooks last took a delivery, by error and status, among its newest :each
-- attempts. Leans on attempt_webhook and the primary key.
with found (id, webhook_id, delivery_id, verdict, error, response_status, started_at, took_at, looked) as (
  select
    a.id, a.webhook_id, a.delivery_id, a.verdict, a.error, a.response_status, a.started_at,
    max(iif(a.verdict = 1, a.id, 0)) over (partition by a.webhook_id),
    count(*) over (partition by a.webhook_id)
  from json_each(:webhook_ids) given
  cross join attempt a on a.id in (
      select x.id from attempt x indexed by attempt_webhook
      where x.webhook_id = given.value and x.delivery_id is not null
      order by x.id desc
      limit :each
  )
)
select
  picked.webhook_id, picked.error, picked.response_status, picked.deliveries, picked.first_at, picked.last_at,
  attempt.delivery_id, picked.is_cut
from (
  select
    webhook_id, error, response_status, count(distinct delivery_id) as deliveries, min(started_at) as first_at,
    max(started_at) as last_at, max(id) as last_id, max(took_at = 0 and looked >= :each) as is_cut
  from found
  where id > took_at
  group by webhook_id, error, response_status
) picked
cross join attempt on attempt.id = picked.last_id
