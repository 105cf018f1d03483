-- The newest :limit events of an application between two positions, accepted in [since, until), of some types or all, and
-- whether each is undelivered: one row of [event id, position, is undelivered]. Leans on event_position, webhook_application and delivery_webhook.
select json_group_array(json_array(id, position, json(iif(is_undelivered, 'true', 'false'))))
from (
  select
    event.id,
    event.position,
    exists (
      select 1 from webhook w
      cross join delivery d indexed by delivery_webhook on d.webhook_id = w.id and d.event_id = event.id
      where w.application_id = :application_id and d.state in (1, 3)
    )
    or not exists (
      select 1 from webhook w
      cross join delivery d indexed by delivery_webhook on d.webhook_id = w.id and d.event_id = event.id
      where w.application_id = :application_id and d.state = 2
    ) as is_undelivered
  from event indexed by event_position
  where
    event.application_id = :application_id
    and event.position > :after and event.position < :below
    and event.accepted_at >= :since and event.accepted_at < :until
    and (:types is null or event.type in (select value from json_each(:types)))
  order by event.position desc
  limit :limit
)
