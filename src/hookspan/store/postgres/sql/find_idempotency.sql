-- What is kept under keys, by their place in the lists. One that runs in the name of a node that is gone was interrupted.
-- Leans on idempotency_key and the primary key of node.
select
  given.place, i.id, i.fingerprint, i.began_at,
  case
    when i.state = 1 and i.node <> 0 and not exists (select 1 from node where node.id = i.node) then 3 else i.state
  end,
  i.answer
from
  unnest(%(application_ids)s::bigint[], %(owners)b::text[], %(keys)b::text[])
  with ordinality as given (application_id, owner, key, place)
join idempotency as i
  on i.application_id = given.application_id and i.owner = given.owner and i.key = given.key
