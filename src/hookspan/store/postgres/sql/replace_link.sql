-- A new one-time link. Leans on the primary key.
update person set link_digest = %(digest)s, link_expires_at = %(expires_at)s where id = %(id)s
