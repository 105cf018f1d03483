-- What came of the newest attempt of webhooks, tests left out. Leans on attempt_webhook and the primary key.
select given.value, a.started_at, a.response_status, a.error
from json_each(:webhook_ids) given
cross join attempt a on a.id = (
  select id from (
    select id, delivery_id from attempt indexed by attempt_webhook
    where webhook_id = given.value
    order by id desc
    limit :most
  ) found
  where delivery_id is not null
  order by id desc
  limit 1
)
