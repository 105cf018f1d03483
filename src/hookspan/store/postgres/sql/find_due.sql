-- Skips through what is due, webhook by webhook after :after up to :last, at most :per_webhook of each: delivery id,
-- webhook id, event id. A webhook that can't be divided among :nodes is one row without a delivery: its own are
-- looked at afterwards, when it is locked (find_undivided). What is sent aside is found by find_aside, suspects
-- (orphaned three times) by find_suspect. What another node takes at this moment is passed by. The limit is taken
-- inside a materialized step, so that no plan can claim more; a limit of one in a lateral keeps each look an index's.
-- Ids below :low have nothing that is pending. Leans on delivery_due (the skip scan and each webhook's due ones) and
-- the primary keys.
with recursive
waiting (webhook_id) as (
  (
    select webhook_id from delivery
    where state = 1 and node = 0 and webhook_id > %(after)s and id >= %(low)s
    order by webhook_id limit 1
  )
  union all
  select (
    select delivery.webhook_id from delivery
    where state = 1 and node = 0 and delivery.webhook_id > waiting.webhook_id and id >= %(low)s
    order by delivery.webhook_id limit 1
  )
  from waiting
  where waiting.webhook_id < %(last)s
),
picked as materialized (
  select due.id, waiting.webhook_id, due.event_id
  from waiting
  cross join lateral (
    select
      webhook.delivery_order = 2
      or %(nodes)s > 1 and (webhook.concurrency < %(nodes)s or coalesce(webhook.rate < %(nodes)s, false))
      as is_undivided
    from webhook
    where
      webhook.id = waiting.webhook_id
      and webhook.status in (1, 2)
      and webhook.sweep_reason is null and not webhook.is_frozen
      and webhook.application_id <> all(%(applications)s::bigint[])
      and (
        cardinality(%(profiles)s::text[]) = 0
        or not exists (
          select 1 from application
          where application.id = webhook.application_id and application.profile = any(%(profiles)s::text[])
        )
      )
      and webhook.id <> all(%(skip)s::bigint[])
    limit 1
  ) as webhook
  cross join lateral (
    select * from (
      select delivery.id, delivery.event_id from delivery
      where
        not webhook.is_undivided
        and delivery.state = 1 and delivery.node = 0 and delivery.webhook_id = waiting.webhook_id
        and delivery.next_attempt_at <= %(now)s and delivery.id >= %(low)s
        and delivery.orphan_count < 3 and not delivery.is_aside
      order by delivery.next_attempt_at
      limit %(per_webhook)s
      for no key update skip locked
    ) as free
    union all
    select * from (
      select null::bigint, null::bigint from delivery
      where
        webhook.is_undivided
        and delivery.state = 1 and delivery.node = 0 and delivery.webhook_id = waiting.webhook_id
        and delivery.next_attempt_at <= %(now)s and delivery.id >= %(low)s
      limit 1
    ) as undivided
  ) as due
  where waiting.webhook_id <= %(last)s
  limit %(limit)s
)
select picked.id, picked.webhook_id, picked.event_id from picked
