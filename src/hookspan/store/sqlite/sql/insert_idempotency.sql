-- Takes a key, under an id above all others. Its application's tally goes along, by a trigger.
insert into idempotency (application_id, owner, key, is_publish, began_at, fingerprint, state, answer)
values (:application_id, :owner, :key, :is_publish, :began_at, :fingerprint, :state, :answer)
returning id
