-- Moves applications on by as many events as come to each, and says where they are now: one row for each that is there,
-- with whether the node is registered; one without an application where none is. The rows are locked in id order, so
-- that two batches never wait for each other in a ring. Leans on the primary keys.
with held as materialized (
  select id from node where id = %(node)s for key share
),
locked as materialized (
  select id from application
  where id = any(%(ids)s::bigint[]) and deleted_at is null and frozen_at is null
  order by id
  for no key update
),
moved as (
  update application
  set last_position = application.last_position + given.count
  from unnest(%(ids)s::bigint[], %(counts)s::bigint[]) as given (id, count)
  where
    application.id = given.id
    and application.id in (select id from locked)
    and exists (select 1 from held)
  returning application.id, application.webhooks_version, application.last_position
)
select node.is_there, moved.id, moved.webhooks_version, moved.last_position
from (select exists (select 1 from held) as is_there) as node
left join moved on true
