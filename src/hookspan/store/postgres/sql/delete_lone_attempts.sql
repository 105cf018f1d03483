-- Drops old attempts that belong to no delivery (tests). Leans on attempt_test, which holds no others.
with chosen as materialized (
  select id from attempt where delivery_id is null and id < %(below)s order by id limit %(limit)s for update skip locked
)
delete from attempt where id = any(array(select id from chosen))
