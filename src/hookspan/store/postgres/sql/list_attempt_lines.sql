-- The newest attempts above an id, of all applications, newest first. Leans on the primary keys.
select
  x.id, p.public_id, p.name, p.profile, w.id, w.name, w.url, x.delivery_id, x.event_id, e.type, x.number,
  x.started_at, x.duration_us, x.verdict, x.error, x.error_message, x.response_status
from (
  select
    id, webhook_id, delivery_id, event_id, number, started_at, duration_us, verdict, error, error_message,
    response_status
  from attempt
  where id > %(after)s
  order by id desc
  limit %(limit)s
) x
join webhook w on w.id = x.webhook_id
join application p on p.id = w.application_id
left join lateral (select type from event where id = x.event_id limit 1) e on true
where p.deleted_at is null
order by x.id desc
