-- Frees claims of nodes that are not in the table, at most :limit, and counts them as orphaned. What is to be cancelled
-- then (it has a reason) is. What somebody changes at this moment is passed by. Skips through the holders; leans on
-- delivery_claimed.
with recursive
holder (node) as (
  (select node from delivery where node <> 0 and node > 0 order by node limit 1)
  union all
  select (select delivery.node from delivery where delivery.node <> 0 and delivery.node > holder.node order by node
  limit 1) from holder
  where holder.node is not null
),
chosen as materialized (
  select orphan.id
  from holder
  cross join lateral (
    select delivery.id from delivery
    where delivery.node <> 0 and delivery.node = holder.node
    limit %(limit)s
    for no key update skip locked
  ) as orphan
  where holder.node is not null and not exists (select 1 from node where node.id = holder.node)
  limit %(limit)s
)
update delivery
set
  node = 0,
  state = case when reason is not null then 4 else 1 end,
  finished_at = case when reason is not null then %(now)s::bigint end,
  next_attempt_at = case when reason is null then %(now)s::bigint end,
  round_started_at = case when round_started_at > %(now)s then %(now)s::bigint else round_started_at end,
  orphan_count = orphan_count + 1
where id = any(array(select id from chosen)) and node + 0 <> 0
