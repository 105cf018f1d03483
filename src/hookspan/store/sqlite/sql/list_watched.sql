-- Webhooks whose condition may be another than was noticed, by id. Leans on webhook_failing, webhook_cut_off and
-- webhook_recovering.
select
  w.id, w.application_id, w.name, w.url, w.status, w.status_reason, w.events, w.delivery_order, w.rate,
  w.concurrency, w.event_epoch, w.credentials, iif(w.status = 1, a.last_position, w.position), w.version,
  w.failing_since, w.created_at, w.updated_at, w.also_sign, w.activated_at, a.notify, w.noticed, w.noticed_at
from (
  select id from (
    select id from webhook indexed by webhook_failing
    where
      failing_since is not null and status <= 2 and noticed <> 2 and (noticed <> 1 or delivery_order = 2)
      and id > :after and (failing_since <= :failing_before or delivery_order = 2)
    order by id
    limit :limit
  ) found
  union all
  select id from (
    select id from webhook indexed by webhook_cut_off
    where status = 3 and status_reason >= 3 and noticed <> 3 and id > :after
    order by id
    limit :limit
  ) found
  union all
  select id from (
    select id from webhook indexed by webhook_recovering
    where noticed <> 0 and status <= 2 and failing_since is null and id > :after
    order by id
    limit :limit
  ) found
) found
cross join webhook w on w.id = found.id
cross join application a on a.id = w.application_id
where a.deleted_at is null and a.frozen_at is null
order by w.id
limit :limit
