-- Whether anything of a webhook is scheduled, or in flight, or in flight and not marked as skipped. Of one moment.
-- Leans on delivery_due and delivery_claimed.
with recursive holder (node) as (
  select min(node) from delivery where node <> 0 and id >= %(low)s
  union all
  select (select min(node) from delivery where node <> 0 and node > holder.node and id >= %(low)s)
  from holder
  where holder.node is not null
)
select
  (
    select id from delivery
    where state = 1 and node = 0 and webhook_id >= %(webhook_id)s and webhook_id <= %(webhook_id)s
      and id >= %(low)s
    order by webhook_id, next_attempt_at
    limit 1
  ) is not null,
  count(*) > 0,
  count(*) filter (where d.reason is null) > 0
from holder
cross join lateral (
  select reason from delivery
  where node = holder.node and node <> 0 and webhook_id = %(webhook_id)s and id >= %(low)s
  order by reason nulls first
  limit 1
) d
