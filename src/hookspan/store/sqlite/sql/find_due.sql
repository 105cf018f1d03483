-- Skips through what is due, webhook by webhook after :after up to :last, at most :per_webhook of each: one row of
-- [delivery id, webhook id, body bytes]. Of a fifo webhook the oldest in order, up to the first that is claimed or
-- not due, or stalled. What is sent aside is found by find_aside. Suspects (orphaned three times) are left to find_suspect. The limit is taken inside a materialized step, so
-- that no plan can claim more. Leans on delivery_due (the skip scan and each webhook's due ones) and delivery_fifo.
with recursive
waiting (webhook_id) as (
  select (
    select webhook_id from delivery indexed by delivery_due
    where state = 1 and node = 0 and webhook_id > :after
    order by webhook_id limit 1
  )
  union all
  select (
    select webhook_id from delivery indexed by delivery_due
    where state = 1 and node = 0 and webhook_id > waiting.webhook_id
    order by webhook_id limit 1
  )
  from waiting
  where waiting.webhook_id < :last
),
picked (id, webhook_id, event_id) as materialized (
  select delivery.id, delivery.webhook_id, delivery.event_id
  from waiting
  cross join webhook on webhook.id = waiting.webhook_id
  cross join delivery on delivery.id in (
    select id from (
      select due.id from delivery due indexed by delivery_due
      where
        webhook.delivery_order = 1
        and due.state = 1 and due.node = 0 and due.webhook_id = webhook.id and due.next_attempt_at <= :now
        and due.orphan_count < 3 and due.is_aside = 0
      order by due.next_attempt_at
      limit :per_webhook
    )
    union all
    select id from (
      select head.id, max(head.node <> 0 or coalesce(head.next_attempt_at > :now, 1) or head.orphan_count >= 3)
        over (order by head.id) as is_blocked
      from (
        select fifo.id, fifo.node, fifo.next_attempt_at, fifo.orphan_count from delivery fifo indexed by delivery_fifo
        where webhook.delivery_order = 2 and fifo.state = 1 and fifo.is_fifo = 1 and fifo.webhook_id = webhook.id
        order by fifo.id
        limit :per_webhook
      ) head
    )
    where not is_blocked
  )
  where
    waiting.webhook_id <= :last
    -- Says the same as the join, and passes by a webhook that has nothing due in half the time.
    and exists (
      select 1 from delivery due indexed by delivery_due
      where
        due.state = 1 and due.node = 0 and due.webhook_id = waiting.webhook_id and due.next_attempt_at <= :now
    )
    and webhook.status in (1, 2)
    and webhook.sweep_reason is null and webhook.is_frozen = 0
    and webhook.application_id not in (select value from json_each(:applications))
    and (
      :profiles = '[]'
      or not exists (
        select 1 from application
        where
          application.id = webhook.application_id
          and application.profile in (select value from json_each(:profiles))
      )
    )
    and webhook.id not in (select value from json_each(:skip))
  limit :limit
)
select json_group_array(json_array(picked.id, picked.webhook_id, octet_length(event.body)))
from picked
cross join event on event.id = picked.event_id
