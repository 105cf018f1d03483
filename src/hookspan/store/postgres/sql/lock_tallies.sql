-- Locks what is counted of applications' keys, both kinds, in order, so that keys of one application are taken and given
-- free one after another; how many there are, and the bytes of their answers. Leans on the primary key.
insert into idempotency_tally as tally (application_id, is_publish, keys, bytes)
select given.id, kind.is_publish, 0, 0
from unnest(%s::bigint[]) as given (id)
cross join (values (false), (true)) as kind (is_publish)
order by given.id, kind.is_publish
on conflict (application_id, is_publish) do update set keys = tally.keys
returning tally.application_id, tally.is_publish, tally.keys, tally.bytes
