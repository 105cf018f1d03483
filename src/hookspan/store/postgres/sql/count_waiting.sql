-- What waits for webhooks: count and lowest id of scheduled ones (at most so many are looked at) and of those in
-- flight. Leans on delivery_due and delivery_claimed.
with recursive holder (node) as (
  select min(node) from delivery where node <> 0 and id >= %(low)s
  union all
  select (select min(node) from delivery where node <> 0 and node > holder.node and id >= %(low)s)
  from holder
  where holder.node is not null
)
select given.id, scheduled.count, scheduled.lowest, held.count, held.lowest
from unnest(%(webhook_ids)s::bigint[]) given (id)
cross join lateral (
  select count(*) as count, min(x.id) as lowest
  from (
    select id from delivery
    where state = 1 and node = 0 and webhook_id >= given.id and webhook_id <= given.id and id >= %(low)s
    order by webhook_id, next_attempt_at
    limit %(most)s
  ) x
) scheduled
cross join lateral (
  select count(*) as count, min(d.id) as lowest
  from holder
  cross join lateral (
    select id from delivery
    where node = holder.node and node <> 0 and webhook_id = given.id and id >= %(low)s
    limit %(most)s
  ) d
) held
