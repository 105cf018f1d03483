-- Webhooks that fail, or were switched off because they did, of applications in a range of ids; those whose trouble is
-- the youngest first. Leans on webhook_in_trouble and the primary keys.
select
  w.id, w.application_id, w.name, w.url, w.status, w.status_reason, w.events, w.delivery_order, w.rate,
  w.concurrency, w.event_epoch, w.credentials, case when w.status = 1 then a.last_position else w.position end,
  w.version, w.failing_since, w.created_at, w.updated_at, w.also_sign, w.activated_at
from webhook w
join application a on a.id = w.application_id
where
  (w.failing_since is not null or (w.status = 3 and w.status_reason >= 3))
  and w.application_id >= %(low)s and w.application_id <= %(high)s
  and w.status <> 4 and (w.status <> 3 or w.status_reason >= 3) and a.deleted_at is null
order by coalesce(w.failing_since, w.updated_at) desc, w.id desc
limit %(limit)s
