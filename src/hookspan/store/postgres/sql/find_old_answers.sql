-- Keys with an answer from before a time, oldest first, with their applications. Leans on idempotency_answered.
select id, application_id from idempotency
where answer is not null and began_at < %s
order by began_at
limit %s
