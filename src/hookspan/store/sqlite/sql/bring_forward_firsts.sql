-- Makes first attempts due that a clock since set back had put into the future. Walks delivery_due.
update delivery indexed by delivery_due
set next_attempt_at = ?1
where state = 1 and node = 0 and attempt_count = 0 and next_attempt_at > ?1
