-- Takes keys, under ids above all others. Their applications' tallies go along, by a trigger.
insert into idempotency (application_id, owner, key, is_publish, node, began_at, fingerprint, state, answer)
select
  given.application_id, given.owner, given.key, %(is_publish)s, %(node)s, given.began_at, given.fingerprint, %(state)s,
  given.answer
from
  unnest(
    %(application_ids)s::bigint[], %(owners)b::text[], %(keys)b::text[], %(times)s::bigint[], %(fingerprints)b::bytea[],
    %(answers)b::bytea[]
  ) as given (application_id, owner, key, began_at, fingerprint, answer)
returning id
