-- Drops publisher ids whose events have gone, with a partition. Leans on publish_key_event.
with chosen as materialized (
  select application_id, publisher_id from publish_key
  where event_id < %(lowest)s
  order by event_id
  limit %(limit)s
  for update skip locked
)
delete from publish_key
using chosen
where publish_key.application_id = chosen.application_id and publish_key.publisher_id = chosen.publisher_id
