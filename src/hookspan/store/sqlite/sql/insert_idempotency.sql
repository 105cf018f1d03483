-- Takes a key, with the next number of its owner. Leans on idempotency_number.
insert into idempotency (owner, key, number, began_at, fingerprint, state, answer)
values (
  :owner, :key, 1 + coalesce((select max(number) from idempotency where owner = :owner), 0),
  :began_at, :fingerprint, :state, :answer
)
returning id, number
