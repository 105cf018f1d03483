-- The heads of applications that a batch publishes to, and whether the node is registered: one row. Leans on the
-- primary keys.
select
  exists (select 1 from node where id = ?1),
  (
    select json_group_array(json_array(id, webhooks_version, last_position))
    from application
    where id in (select value from json_each(?2)) and deleted_at is null and frozen_at is null
  )
