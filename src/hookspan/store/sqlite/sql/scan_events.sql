-- The first :limit events of an application within positions, oldest first: one row of [id, position, type, time, state],
-- with the state of the newest delivery to a webhook where that is asked for and the time is within [since, until).
-- Leans on event_position and delivery_webhook.
select json_group_array(json_array(id, position, type, accepted_at, state))
from (
  select
    e.id, e.position, e.type, e.accepted_at,
    iif(
      :with_state and e.accepted_at >= :since and e.accepted_at < :until,
      (
        select d.state from delivery d indexed by delivery_webhook
        where d.webhook_id = :webhook_id and d.event_id = e.id
        order by d.run desc limit 1
      ),
      null
    ) as state
  from event e indexed by event_position
  where e.application_id = :application_id and e.position > :after and e.position <= :last
  order by e.position
  limit :limit
)
