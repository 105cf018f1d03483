-- Takes back what find_freed has found and is still so, for a result that is known: id, claim of each. What somebody takes
-- at this moment is left to it. Leans on the primary key; for coalesce() see take_deliveries.
with chosen as materialized (
  select delivery.id
  from unnest(%(ids)s::bigint[], %(claims)s::bigint[]) as given (id, claim)
  join delivery
    on delivery.id = given.id and delivery.claim = given.claim and delivery.id = any(%(ids)s::bigint[])
  where
    coalesce(delivery.state = 1, false)
    and case
      when delivery.node = 0 then delivery.orphan_count > 0
      else not exists (select 1 from node where node.id = delivery.node)
    end
  order by delivery.id
  for no key update of delivery skip locked
)
update delivery set node = %(node)s where id = any(array(select id from chosen)) returning id, claim
