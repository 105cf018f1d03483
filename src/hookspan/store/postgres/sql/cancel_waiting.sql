-- Cancels some of a webhook's scheduled deliveries. One that somebody else is changing is passed by. Ordered as
-- only delivery_due is. Leans on delivery_due.
with chosen as materialized (
  select id from delivery
  where
    state = 1 and node = 0 and webhook_id >= %(webhook_id)s and webhook_id <= %(webhook_id)s and id >= %(low)s
  order by webhook_id, next_attempt_at
  limit %(limit)s
  for update skip locked
)
update delivery
set state = 4, reason = %(reason)s, finished_at = %(now)s, next_attempt_at = null
where id = any(array(select id from chosen))
