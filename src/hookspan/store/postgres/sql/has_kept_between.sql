-- Whether something hangs on events between two ids: pending, or expired since then. Leans on delivery_waiting,
-- delivery_claimed and delivery_expired.
select
  (
    select id from delivery where state = 1 and node = 0 and event_id >= %(low)s and event_id < %(high)s limit 1
  ) is not null
  or (
    select id from delivery where node <> 0 and event_id >= %(low)s and event_id < %(high)s limit 1
  ) is not null
  or (
    select id from delivery
    where
      state = 3 and reason = 2 and finished_at > %(shown_since)s and event_id >= %(low)s and event_id < %(high)s
    limit 1
  ) is not null
