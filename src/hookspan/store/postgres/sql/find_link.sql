-- Whose one-time link it is. Leans on person_link.
select
  p.id, p.name, p.application_id, a.public_id, p.role, p.created_at, p.last_seen_at
from person p
left join application a on a.id = p.application_id
where p.link_digest = %(digest)s and p.link_expires_at > %(now)s
