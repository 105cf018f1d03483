-- Whose event it is. Leans on the primary keys.
select a.public_id
from event e
cross join application a on a.id = e.application_id
where e.id = ? and a.deleted_at is null
