-- Scheduled deliveries of old events: one row of ids. Walks delivery_due, which holds the event's id.
select json_group_array(id)
from (select id from delivery indexed by delivery_due where state = 1 and node = 0 and event_id < ?1 limit ?2)
