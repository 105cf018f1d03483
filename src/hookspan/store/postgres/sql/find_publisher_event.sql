-- The event published under a publisher's own id. Leans on the primary key of publish_key.
select event_id from publish_key where application_id = %s and publisher_id = %s
