-- Whose event it is. Leans on the primary keys.
select a.public_id
from event e
join application a on a.id = e.application_id
where e.id = %s and a.deleted_at is null
