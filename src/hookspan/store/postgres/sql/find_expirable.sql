-- Scheduled deliveries of old events, the oldest first. Leans on delivery_waiting.
select id from delivery where state = 1 and node = 0 and event_id < %(below)s and id >= %(low)s
order by event_id
limit %(limit)s
