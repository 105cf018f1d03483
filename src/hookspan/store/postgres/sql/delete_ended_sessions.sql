-- Drops sessions that are over; what somebody else is busy with stays for the next time. Leans on session_expiry.
delete from session
where id in (select id from session where expires_at <= %s order by expires_at limit %s for update skip locked)
returning id
