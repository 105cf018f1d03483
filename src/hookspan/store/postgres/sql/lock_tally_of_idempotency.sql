-- Locks what is counted beside a key; the bytes of answers that are kept there. Leans on both primary keys.
select tally.bytes
from idempotency as i
join idempotency_tally as tally on tally.application_id = i.application_id and tally.is_publish = i.is_publish
where i.id = %s
for update of tally
