-- Takes claims back that were freed because their node was taken out, for a result of it that is known: nobody has
-- claimed those since (the claim's number), and nothing was recorded of them (that ends the count of orphans). Not of a
-- frozen application. Leans on the primary key.
with given (id, claim) as (values (?, ?))
update delivery
set node = ?
from given
where
  delivery.id = given.id and delivery.claim = given.claim and delivery.node = 0 and delivery.state = 1
  and delivery.orphan_count > 0
  and not exists (select 1 from webhook where webhook.id = delivery.webhook_id and webhook.is_frozen <> 0)
