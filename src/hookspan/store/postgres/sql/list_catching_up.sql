-- Webhooks that are catching up. Leans on webhook_catching_up.
select
  w.id, w.application_id, w.name, w.url, w.status, w.status_reason, w.events, w.delivery_order, w.rate,
  w.concurrency, w.event_epoch, w.credentials, case when w.status = 1 then a.last_position else w.position end,
  w.version, w.failing_since, w.created_at, w.updated_at, w.also_sign, w.activated_at
from webhook w
join application a on a.id = w.application_id
where w.status = 2 and not w.is_frozen
order by w.id
