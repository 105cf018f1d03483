-- The newest attempts above an id, of all applications, newest first. Leans on the primary keys.
select
  a.id, p.public_id, p.name, p.profile, w.id, w.name, w.url, a.delivery_id, a.event_id, e.type, a.number,
  a.started_at, a.duration_us, a.verdict, a.error, a.error_message, a.response_status
from (
  select id from attempt
  where id > :after
  order by id desc
  limit :limit
) found
cross join attempt a on a.id = found.id
cross join webhook w on w.id = a.webhook_id
cross join application p on p.id = w.application_id
left join event e on e.id = a.event_id
where p.deleted_at is null
order by a.id desc
