-- Keeps events that a job has yet to make into deliveries. Upkeep of the primary key.
insert into job_part (job_id, number, event_ids)
select %(job_id)s, given.number, given.event_ids
from unnest(%(numbers)s::bigint[], %(parts)b::bytea[]) as given (number, event_ids)
