-- What is kept under a key. Leans on idempotency_key.
select id, fingerprint, began_at, state, answer from idempotency where application_id = ? and owner = ? and key = ?
