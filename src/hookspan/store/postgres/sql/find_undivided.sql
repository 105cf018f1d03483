-- What is due of locked webhooks that can't be divided among :nodes, where no other node that is registered holds some
-- of theirs: delivery id, webhook id, event id. Of a fifo webhook the oldest in order, up to the first that is
-- claimed, not due, stalled or a suspect. Leans on delivery_due, delivery_fifo, delivery_claimed and the primary keys.
select due.id, webhook.id, due.event_id
from unnest(%(ids)s::bigint[]) as given (id)
cross join lateral (
  select webhook.id, webhook.delivery_order from webhook where webhook.id = given.id limit 1
) as webhook
cross join lateral (
  select * from (
    select
      head.id,
      head.event_id,
      head.id as place,
      bool_or(head.node <> 0 or coalesce(head.next_attempt_at > %(now)s, true) or head.orphan_count >= 3)
      over (order by head.id) as is_blocked
    from (
      select id, event_id, node, next_attempt_at, orphan_count from delivery
      where
        webhook.delivery_order = 2
        and state = 1 and is_fifo and delivery.webhook_id = webhook.id and delivery.id >= %(low)s
      order by id
      limit %(per_webhook)s
    ) as head
  ) as ordered
  union all
  select * from (
    select delivery.id, delivery.event_id, delivery.next_attempt_at, false from delivery
    where
      webhook.delivery_order = 1
      and delivery.state = 1 and delivery.node = 0 and delivery.webhook_id = webhook.id
      and delivery.next_attempt_at <= %(now)s and delivery.id >= %(low)s
      and delivery.orphan_count < 3 and not delivery.is_aside
    order by delivery.next_attempt_at
    limit %(per_webhook)s
    for no key update skip locked
  ) as free
) as due
where
  not due.is_blocked
  and (
    %(nodes)s <= 1
    or not exists (
      select 1 from node
      cross join lateral (
        select 1 from delivery
        where delivery.node = node.id and delivery.node <> 0 and delivery.webhook_id = webhook.id
        limit 1
      ) as held
      where node.id <> %(node)s
    )
  )
order by webhook.id, due.place
