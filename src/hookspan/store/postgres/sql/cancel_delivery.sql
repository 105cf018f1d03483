-- Cancels one scheduled delivery. Leans on the primary key.
update delivery
set state = 4, reason = %(reason)s, finished_at = %(now)s, next_attempt_at = null
where id = %(id)s and state = 1 and node = 0
