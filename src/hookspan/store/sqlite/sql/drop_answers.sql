-- Drops old answers, not their keys. Leans on idempotency_answered.
update idempotency set answer = null
where id in (
  select id from idempotency where answer is not null and began_at < ?1 order by began_at limit ?2
)
