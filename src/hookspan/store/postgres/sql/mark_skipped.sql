-- Notes of what is claimed that it was skipped: should it be given back unsent, it is cancelled. Leans on
-- delivery_claimed.
with recursive holder (node) as (
  select min(node) from delivery where node <> 0 and id >= %(low)s
  union all
  select (select min(node) from delivery where node <> 0 and node > holder.node and id >= %(low)s)
  from holder
  where holder.node is not null
),
chosen as materialized (
  select d.id
  from holder
  cross join lateral (
    select id from delivery
    where node = holder.node and node <> 0 and webhook_id = %(webhook_id)s and state = 1 and reason is null
      and id >= %(low)s
    limit %(limit)s
    for update skip locked
  ) d
)
update delivery set reason = 14 where id = any(array(select id from chosen))
