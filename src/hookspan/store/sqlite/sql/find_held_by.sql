-- Claims in a node's name, oldest first: one row of [delivery id, claim]. Leans on delivery_claimed.
select json_group_array(json_array(id, claim))
from (
  select id, claim from delivery indexed by delivery_claimed where node = ?1 and node <> 0 order by id limit ?2
)
