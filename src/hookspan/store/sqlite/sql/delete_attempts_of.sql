-- Drops chains of attempts, given their last ones. Leans on the primary key.
with recursive chain (attempt_id) as (
  select value from json_each(?1)
  union all
  select attempt.previous_attempt_id
  from chain
  cross join attempt on attempt.id = chain.attempt_id
  where attempt.previous_attempt_id is not null
)
delete from attempt where id in (select attempt_id from chain)
