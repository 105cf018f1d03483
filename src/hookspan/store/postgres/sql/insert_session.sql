-- A new session. Upkeep of the indexes of session.
insert into session (
  id, kind, person_id, application_id, role, digest, origin, address, created_at, expires_at, ends_at
) values (
  %(id)s, %(kind)s, %(person_id)s, %(application_id)s, %(role)s, %(digest)s, %(origin)s, %(address)s, %(created_at)s, %(expires_at)s, %(ends_at)s
)
