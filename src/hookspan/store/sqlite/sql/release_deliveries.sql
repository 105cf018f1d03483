-- Gives claims back unsent, where they still hold. Leans on the primary key.
with given (id, claim) as (values (?, ?))
update delivery set node = 0, next_attempt_at = ?
from given
where delivery.id = given.id and delivery.claim = given.claim and delivery.node = ? and delivery.state = 1
