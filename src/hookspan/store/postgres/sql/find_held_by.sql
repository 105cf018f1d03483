-- Claims in a node's name, oldest first: delivery id, claim. Leans on delivery_claimed.
select id, claim from delivery where node = %s and node <> 0 order by id limit %s
