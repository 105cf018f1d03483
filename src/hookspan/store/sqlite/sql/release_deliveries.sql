-- Gives claims back unsent, where they still hold; what is to be cancelled then
-- (it has a reason) is. Leans on the primary key.
with given (id, claim) as (values (?, ?))
update delivery
set
  node = 0,
  state = iif(reason is not null, 4, 1),
  finished_at = iif(reason is not null, ?, null),
  next_attempt_at = iif(reason is not null, null, ?)
from given
where delivery.id = given.id and delivery.claim = given.claim and delivery.node = ? and delivery.state = 1
