-- Frees the claims of a node that is gone and counts them as orphaned. Leans on delivery_claimed.
update delivery indexed by delivery_claimed
set node = 0, next_attempt_at = ?1, orphan_count = orphan_count + 1
where node = ?2 and node <> 0
