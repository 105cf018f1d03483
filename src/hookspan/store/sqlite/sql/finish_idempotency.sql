-- What became of a request. Leans on the primary key.
update idempotency set state = :state, answer = :answer where id = :id and state = 1
