-- Someone new. Upkeep of person_link and person_application.
insert into person (id, application_id, name, role, link_digest, link_expires_at, created_at)
values (%(id)s, %(application_id)s, %(name)s, %(role)s, %(link_digest)s, %(link_expires_at)s, %(created_at)s)
