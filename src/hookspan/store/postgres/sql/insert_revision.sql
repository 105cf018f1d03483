-- Keeps what a webhook is now as the revision of its version. Leans on the primary keys.
insert into webhook_revision (webhook_id, version, from_position, status, events, url, changed_at)
select w.id, w.version, a.last_position, w.status, w.events, w.url, w.updated_at
from webhook w
join application a on a.id = w.application_id
where w.id = %s
