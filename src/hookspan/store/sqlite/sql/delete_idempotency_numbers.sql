-- The oldest keys of an owner who has too many. Leans on idempotency_number.
delete from idempotency
where id in (select id from idempotency where owner = ?1 and number <= ?2 order by number limit ?3)
