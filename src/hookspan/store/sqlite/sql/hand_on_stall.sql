-- The head of a fifo webhook takes over the stall of the one that was its head, if it is another. Leans on delivery_fifo
-- and the primary key.
update delivery
set
  next_attempt_at = null, round_attempts = :round_attempts, round_started_at = :round_started_at, stalled_at = :since
where
  id = (
    select min(id) from delivery indexed by delivery_fifo
    where webhook_id = :webhook_id and state = 1 and is_fifo = 1
  )
  and id <> :id and node = 0
