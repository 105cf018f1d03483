-- Drops the publisher ids of events. Leans on publish_key_event.
delete from publish_key where event_id = any(%s::bigint[])
