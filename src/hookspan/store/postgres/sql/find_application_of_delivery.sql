-- Whose delivery it is. Leans on the primary keys.
select a.public_id
from delivery d
join webhook w on w.id = d.webhook_id
join application a on a.id = w.application_id
where d.id = %s and a.deleted_at is null
