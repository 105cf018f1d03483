-- Whose delivery it is. Leans on the primary keys.
select a.public_id
from delivery d
cross join webhook w on w.id = d.webhook_id
cross join application a on a.id = w.application_id
where d.id = ? and a.deleted_at is null
