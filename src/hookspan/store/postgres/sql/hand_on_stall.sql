-- The head of a fifo webhook takes over the stall of the one that was its head, if it is another. Leans on
-- delivery_fifo and the primary key.
update delivery
set
  next_attempt_at = null, round_attempts = %(round_attempts)s, round_started_at = %(round_started_at)s,
  stalled_at = %(since)s
where
  id = (select id from delivery where webhook_id = %(webhook_id)s and state = 1 and is_fifo order by id limit 1)
  and id <> %(id)s and node = 0 and state = 1
