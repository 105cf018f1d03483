-- Whether something hangs on events between two ids: pending, or expired since then. Each look is in the order of its
-- index, so that it is made by that. Leans on delivery_waiting, delivery_claimed and delivery_expired.
select
  (
    select id from delivery
    where state = 1 and node = 0 and event_id >= %(low)s and event_id < %(high)s
    order by event_id
    limit 1
  ) is not null
  or (
    select id from delivery
    where node <> 0 and event_id >= %(low)s and event_id < %(high)s
    order by node, webhook_id, event_id
    limit 1
  ) is not null
  or (
    select id from delivery
    where state = 3 and reason = 2 and finished_at > %(shown_since)s and event_id >= %(low)s and event_id < %(high)s
    order by finished_at
    limit 1
  ) is not null
