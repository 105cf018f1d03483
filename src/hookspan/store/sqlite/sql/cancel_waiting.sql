-- Cancels some of a webhook's scheduled deliveries. Leans on delivery_due.
update delivery
set state = 4, reason = :reason, finished_at = :now, next_attempt_at = null
where id in (
  select id from delivery indexed by delivery_due
  where state = 1 and node = 0 and webhook_id = :webhook_id
  limit :limit
)
