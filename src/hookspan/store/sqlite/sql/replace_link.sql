-- A new one-time link. Leans on the primary key.
update person set link_digest = :digest, link_expires_at = :expires_at where id = :id
