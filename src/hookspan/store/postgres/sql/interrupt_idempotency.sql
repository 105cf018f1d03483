-- Whoever answered these requests is gone; with the keys that a copy has brought.
update idempotency set state = 3 where state = 1
