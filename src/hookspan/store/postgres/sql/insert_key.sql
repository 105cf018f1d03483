-- A new key. Upkeep of access_key_digest and access_key_application.
insert into access_key (id, scope, application_id, name, role, digest, hint, created_at)
values (%(id)s, %(scope)s, %(application_id)s, %(name)s, %(role)s, %(digest)s, %(hint)s, %(created_at)s)
