-- Deliveries of events between two ids that are not between these themselves: id, last attempt id. Made by a catch-up,
-- a replay or a person, they are in other partitions. What was made pending a moment ago stays, and keeps its event.
-- Leans on delivery_event.
select id, last_attempt_id from delivery
where event_id >= %(low)s and event_id < %(high)s and (id < %(low)s or id >= %(high)s) and state <> 1
limit %(limit)s
for update skip locked
