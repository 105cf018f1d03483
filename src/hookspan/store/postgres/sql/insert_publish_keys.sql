-- Takes publisher ids; those taken before stay as they are. Leans on the primary key.
insert into publish_key (application_id, publisher_id, event_id, input_hash)
select *
from unnest(%(application_ids)s::bigint[], %(publisher_ids)s::text[], %(event_ids)s::bigint[], %(hashes)s::bytea[])
on conflict do nothing
