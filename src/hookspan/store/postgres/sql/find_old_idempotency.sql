-- Keys from before a time, oldest first, with their applications. Leans on idempotency_began.
select id, application_id from idempotency where began_at < %s order by began_at limit %s
