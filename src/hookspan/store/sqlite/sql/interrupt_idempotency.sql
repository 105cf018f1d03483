-- What a process that has ended left behind. Leans on idempotency_running.
update idempotency set state = 3 where state = 1
