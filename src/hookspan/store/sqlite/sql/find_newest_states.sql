-- Of events, whether they are there, and run and state of the newest delivery to a webhook: one row of [id, is there,
-- run, state] in the order given. Leans on the primary key of event and on delivery_webhook.
select json_group_array(
  json_array(
    given.value,
    exists (select 1 from event where id = given.value),
    (
      select run from delivery indexed by delivery_webhook
      where webhook_id = :webhook_id and event_id = given.value
      order by run desc limit 1
    ),
    (
      select state from delivery indexed by delivery_webhook
      where webhook_id = :webhook_id and event_id = given.value
      order by run desc limit 1
    )
  )
  order by given.key
)
from json_each(:event_ids) given
