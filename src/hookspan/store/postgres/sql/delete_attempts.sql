-- Drops attempts, and names those before them. Leans on the primary key.
delete from attempt where id = any(%s::bigint[]) returning previous_attempt_id
