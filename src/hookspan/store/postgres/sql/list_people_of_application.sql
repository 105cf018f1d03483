-- An application's people, newest first. Leans on person_application.
select
  p.id, p.name, p.application_id, a.public_id, p.role, p.created_at, p.last_seen_at
from person p
left join application a on a.id = p.application_id
where p.application_id = %(application_id)s and p.id >= %(low)s and p.id < %(high)s
order by p.id desc
limit %(limit)s
