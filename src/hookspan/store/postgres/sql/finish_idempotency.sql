-- What became of a request. Leans on the primary key.
update idempotency set state = %(state)s, answer = %(answer)s where id = %(id)s and state = 1
