-- A new session. Upkeep of the indexes of session.
insert into session (
  id, kind, person_id, application_id, role, digest, origin, address, created_at, expires_at, ends_at
) values (
  :id, :kind, :person_id, :application_id, :role, :digest, :origin, :address, :created_at, :expires_at, :ends_at
)
