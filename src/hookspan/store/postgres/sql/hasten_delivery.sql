-- Makes a scheduled delivery due now. Leans on the primary key.
update delivery set next_attempt_at = %(now)s, cause = %(cause)s where id = %(id)s and state = 1 and node = 0
