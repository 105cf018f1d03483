-- Whose webhook it is. Leans on the primary keys.
select a.public_id
from webhook w
join application a on a.id = w.application_id
where w.id = %s and w.status <> 4 and a.deleted_at is null
