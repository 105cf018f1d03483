-- Webhooks that are catching up. Leans on webhook_catching_up.
select
  w.id, w.application_id, w.name, w.url, w.status, w.status_reason, w.events, w.delivery_order, w.rate,
  w.concurrency, w.event_epoch, w.credentials, iif(w.status = 1, a.last_position, w.position), w.version,
  w.failing_since, w.created_at, w.updated_at, w.also_sign, w.activated_at
from webhook w indexed by webhook_catching_up
cross join application a on a.id = w.application_id
where w.status = 2 and w.is_frozen = 0
order by w.id
