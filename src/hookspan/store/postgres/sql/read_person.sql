-- Someone. Leans on the primary key.
select
  p.id, p.name, p.application_id, a.public_id, p.role, p.created_at, p.last_seen_at
from person p
left join application a on a.id = p.application_id
where p.id = %s
