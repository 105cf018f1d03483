-- Which of these claims somebody lost because the node was taken out, while nobody has claimed them since (the claim's
-- number) and nothing was recorded of them (that ends the count of orphans): delivery id, claim, application. Leans on the
-- primary key; for coalesce() see take_deliveries.
select delivery.id, delivery.claim, delivery.application_id
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
