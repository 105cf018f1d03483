-- Keeps what webhooks of an application are that were deleted with it. Leans on webhook_application.
insert into webhook_revision (webhook_id, version, from_position, status, events, url, changed_at)
select w.id, w.version, a.last_position, w.status, w.events, w.url, w.updated_at
from application a
join webhook w on w.application_id = a.id
where a.id = %s
on conflict (webhook_id, version) do nothing
