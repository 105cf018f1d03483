-- Which event holds each publisher id: given event id, kept event id, its hash. A statement of its own, since the one
-- that takes them can't see who was faster. Leans on the primary key of publish_key.
select given.event_id, kept.event_id, kept.input_hash
from
  unnest(%(event_ids)s::bigint[], %(application_ids)s::bigint[], %(publisher_ids)s::text[])
  as given (event_id, application_id, publisher_id)
cross join lateral (
  select event_id, input_hash from publish_key
  where application_id = given.application_id and publisher_id = given.publisher_id
  limit 1
) as kept
