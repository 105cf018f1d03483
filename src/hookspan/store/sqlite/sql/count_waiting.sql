-- What waits for webhooks: count and lowest id of scheduled ones (at most :most are looked at) and of those in
-- flight. Leans on delivery_due and delivery_claimed.
select
  given.value,
  (
    select json_array(count(*), min(id))
    from (
      select id from delivery indexed by delivery_due
      where state = 1 and node = 0 and webhook_id = given.value
      limit :most
    )
  ),
  (
    select json_array(count(*), min(d.id))
    from node
    cross join delivery d indexed by delivery_claimed
      on d.node = node.id and d.node <> 0 and d.webhook_id = given.value
  )
from json_each(:webhook_ids) given
