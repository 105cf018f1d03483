-- What sending needs of claimed deliveries, in the order given: one row of [[members], …] and all bodies end to
-- end. Leans on the primary keys.
select
  json_group_array(
    json_array(
      delivery.id, delivery.claim, delivery.application_id, delivery.webhook_id, delivery.event_id, event.type,
      delivery.run, delivery.round, delivery.cause, delivery.attempt_count, delivery.round_attempts,
      delivery.round_started_at, delivery.orphan_count, delivery.last_attempt_id, event.occurred_at,
      octet_length(event.body), delivery.is_aside
    )
    order by given.key
  ),
  cast(group_concat(cast(event.body as text), '' order by given.key) as blob)
from json_each(?1) given
cross join delivery on delivery.id = given.value
cross join event on event.id = delivery.event_id
