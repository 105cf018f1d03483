-- Gives a key free. Leans on the primary key.
delete from idempotency where id = ?
