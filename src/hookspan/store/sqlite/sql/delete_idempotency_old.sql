-- Drops old keys. Leans on idempotency_began.
delete from idempotency
where id in (select id from idempotency where began_at < ?1 order by began_at limit ?2)
