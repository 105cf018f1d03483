-- The first events of an application within positions, oldest first, with the state of the newest delivery to a webhook
-- where that is asked for and the time is within [since, until). Leans on event_position and delivery_event.
select e.id, e.position, e.type, e.accepted_at, newest.state
from (
  select id, position, type, accepted_at from event
  where application_id = %(application_id)s and position > %(after)s and position <= %(last)s
  order by position
  limit %(limit)s
) e
left join lateral (
  select d.state from delivery d
  where
    d.event_id = e.id and d.webhook_id = %(webhook_id)s
    and %(with_state)s::boolean and e.accepted_at >= %(since)s and e.accepted_at < %(until)s
  order by d.run desc
  limit 1
) newest on true
order by e.position
