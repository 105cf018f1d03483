-- The key of a digest. Leans on access_key_digest.
select
  k.id, k.name, k.scope, k.application_id, a.public_id, k.role, k.hint, k.created_at, k.last_used_at
from access_key k
left join application a on a.id = k.application_id
where k.digest = %s
