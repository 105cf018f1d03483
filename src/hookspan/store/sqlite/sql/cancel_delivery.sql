-- Cancels one scheduled delivery. Leans on the primary key.
update delivery set state = 4, reason = :reason, finished_at = :now, next_attempt_at = null where id = :id
