-- When webhooks last took a delivery, as far as the newest :most attempts of each tell. Leans on attempt_webhook.
select
  given.value,
  (
    select started_at + duration_us / 1000
    from (
      select started_at, duration_us, verdict, delivery_id from attempt indexed by attempt_webhook
      where webhook_id = given.value
      order by id desc
      limit :most
    )
    where verdict = 1 and delivery_id is not null
    limit 1
  )
from json_each(:webhook_ids) given
