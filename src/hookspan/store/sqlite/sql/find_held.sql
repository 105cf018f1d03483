-- Which of these claims the node holds: one row of [delivery id, claim]. Leans on the primary key.
with given (id, claim) as (values (?, ?))
select json_group_array(json_array(given.id, given.claim))
from given
cross join delivery on delivery.id = given.id
where delivery.claim = given.claim and delivery.node = ? and delivery.state = 1
