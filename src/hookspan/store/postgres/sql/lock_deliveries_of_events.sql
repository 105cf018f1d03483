-- Deliveries of events, locked: id, event id, whether it is pending, last attempt id. Leans on delivery_event.
select id, event_id, state = 1, last_attempt_id from delivery
where event_id = any(%(event_ids)s::bigint[])
limit %(limit)s
for update
