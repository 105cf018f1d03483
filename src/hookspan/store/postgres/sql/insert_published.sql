-- Keeps events with their deliveries, claimed at birth or due. Upkeep of the indexes of both.
with kept as (
  insert into event (
    id, application_id, position, type, publisher_id, occurred_at, accepted_at, content, content_at, content_bytes,
    context, body
  )
  select *
  from unnest(
    %(ids)s::bigint[], %(application_ids)s::bigint[], %(positions)s::bigint[], %(types)s::text[],
    %(publisher_ids)s::text[], %(occurred_ats)s::bigint[], %(accepted_ats)s::bigint[], %(contents)s::bytea[],
    %(content_ats)s::bigint[], %(content_bytes)s::bigint[], %(contexts)s::bytea[], %(bodies)s::bytea[]
  )
)
insert into delivery (id, application_id, webhook_id, event_id, node, claim, is_fifo, next_attempt_at)
select *
from unnest(
  %(delivery_ids)s::bigint[], %(delivery_application_ids)s::bigint[], %(webhook_ids)s::bigint[],
  %(event_ids)s::bigint[], %(nodes)s::bigint[], %(claims)s::bigint[], %(are_fifo)s::boolean[],
  %(next_attempt_ats)s::bigint[]
)
