-- Someone's sessions, newest first. Leans on session_person.
select
  s.id, s.kind, s.application_id, a.public_id, s.role, s.origin, s.address, s.created_at, s.last_seen_at, s.expires_at,
  s.ends_at, p.id, p.name, p.role, p.created_at, p.last_seen_at
from session s
left join person p on p.id = s.person_id
left join application a on a.id = s.application_id
where s.person_id = %(person_id)s and s.person_id <> 0 and s.id >= %(low)s and s.id < %(high)s and s.expires_at > %(now)s
order by s.id desc
limit %(limit)s
