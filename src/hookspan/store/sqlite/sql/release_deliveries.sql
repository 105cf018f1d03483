-- Gives claims back unsent, where they still hold; what was to be skipped (reason 14) is. Leans on the primary key.
with given (id, claim) as (values (?, ?))
update delivery
set
  node = 0,
  state = iif(reason = 14, 4, 1),
  finished_at = iif(reason = 14, ?, null),
  next_attempt_at = iif(reason = 14, null, ?)
from given
where delivery.id = given.id and delivery.claim = given.claim and delivery.node = ? and delivery.state = 1
