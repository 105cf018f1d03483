-- A new round of a final delivery, due now. Leans on the primary key.
update delivery
set
  state = 1, reason = null, round = round + 1, node = 0, is_fifo = not is_aside and %(is_fifo)s, cause = %(cause)s,
  round_attempts = 0, round_started_at = null, orphan_count = 0, next_attempt_at = %(now)s, finished_at = null
where id = %(id)s and state <> 1
