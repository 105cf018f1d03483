-- Drops the publisher ids of events. Leans on the primary keys.
delete from publish_key
where (application_id, publisher_id) in (
  select event.application_id, event.publisher_id
  from json_each(?1) given
  cross join event on event.id = given.value
  where event.publisher_id is not null
)
