-- Which of these events stay, for a delivery of theirs is pending or has expired since :shown_since: one row of ids.
-- Leans on delivery_webhook.
select json_group_array(distinct event_id)
from (
  select d.event_id
  from webhook w
  cross join delivery d indexed by delivery_webhook
    on d.webhook_id = w.id and d.event_id >= :low and d.event_id <= :high
  where
    d.event_id in (select value from json_each(:event_ids))
    and (d.state = 1 or d.state = 3 and d.reason = 2 and d.finished_at > :shown_since)
)
