-- Spends a one-time link: it works no second time. Leans on the primary key.
update person set link_digest = null, link_expires_at = null, last_seen_at = :now where id = :id
