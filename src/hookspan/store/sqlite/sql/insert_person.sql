-- Someone new. Upkeep of person_link and person_application.
insert into person (id, application_id, name, role, link_digest, link_expires_at, created_at)
values (:id, :application_id, :name, :role, :link_digest, :link_expires_at, :created_at)
