-- The bytes of answers that are kept for the application of a key. Leans on both primary keys.
select tally.bytes
from idempotency as one
join idempotency_tally as tally on tally.application_id = one.application_id and tally.is_publish = one.is_publish
where one.id = ?
