-- Deliveries of events within a range of ids, webhook by webhook: one row of [id, event id, is pending, last attempt id].
-- Leans on delivery_webhook.
select json_group_array(json_array(id, event_id, state = 1, last_attempt_id))
from (
  select d.id, d.event_id, d.state, d.last_attempt_id
  from webhook w
  cross join delivery d indexed by delivery_webhook
    on d.webhook_id = w.id and d.event_id >= :low and d.event_id <= :high
  where
    (:application_id is null or w.application_id = :application_id)
    and d.event_id in (select value from json_each(:event_ids))
  limit :limit
)
