-- Drops answers, not their keys. Leans on the primary key.
update idempotency set answer = null
where id in (
  select id from idempotency where id = any(%s::bigint[]) and answer is not null order by id for update
)
