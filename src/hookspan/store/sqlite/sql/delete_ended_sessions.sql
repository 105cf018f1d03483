-- Drops sessions that are over. Leans on session_expiry.
delete from session where id in (select id from session where expires_at <= ? limit ?) returning id
