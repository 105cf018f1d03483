-- Gives claims back unsent, where they still hold; what is to be cancelled then (it has a reason) is. Leans on the
-- primary key; for coalesce() see take_deliveries.
update delivery
set
  node = 0,
  state = case when delivery.reason is not null then 4 else 1 end,
  finished_at = case when delivery.reason is not null then %(now)s::bigint end,
  next_attempt_at = case when delivery.reason is null then %(now)s::bigint end
from unnest(%(ids)s::bigint[], %(claims)s::bigint[]) as given (id, claim)
where
  delivery.id = given.id and delivery.claim = given.claim and coalesce(delivery.node = %(node)s and delivery.state = 1,
  false) and delivery.id = any(%(ids)s::bigint[])
