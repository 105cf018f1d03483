-- The same of an application's webhooks in a range of ids; each gives at most so many. Leans on webhook_application,
-- attempt_webhook and the primary keys.
select
  x.id, p.public_id, p.name, p.profile, w.id, w.name, w.url, x.delivery_id, x.event_id, e.type, x.number,
  x.started_at, x.duration_us, x.verdict, x.error, x.error_message, x.response_status
from (
  select newest.id
  from webhook w
  cross join lateral (
    select id from attempt
    where webhook_id >= w.id and webhook_id <= w.id and id > %(after)s
    order by webhook_id desc, id desc
    limit %(limit)s
  ) newest
  where w.application_id = %(application_id)s and w.id >= %(webhook_low)s and w.id <= %(webhook_high)s
  order by newest.id desc
  limit %(limit)s
) found
cross join lateral (select * from attempt where id = found.id limit 1) x
join webhook w on w.id = x.webhook_id
join application p on p.id = w.application_id
left join lateral (select type from event where id = x.event_id limit 1) e on true
order by x.id desc
