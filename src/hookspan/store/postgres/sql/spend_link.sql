-- Spends a one-time link: of two who come at once the second finds it spent. Leans on person_link.
update person
set link_digest = null, link_expires_at = null, last_seen_at = %(now)s
where link_digest = %(digest)s and link_expires_at > %(now)s
returning id, application_id
