-- Which event holds each publisher id: one row of [given event id, kept event id, hash in hex]. Leans on the
-- primary key of publish_key.
with given (event_id, application_id, publisher_id) as (values (?, ?, ?))
select json_group_array(json_array(given.event_id, publish_key.event_id, hex(publish_key.input_hash)))
from given
cross join publish_key
  on publish_key.application_id = given.application_id and publish_key.publisher_id = given.publisher_id
