-- Counts an attempt of notices and puts them off, so that nobody else takes them. Leans on the primary key.
update notice set attempts = attempts + 1, next_attempt_at = ?2
where id in (select value from json_each(?1) given)
