-- Puts what was refused back into the inbox, in its old place; these, or the oldest so many. Leans on the primary keys
-- and inbox_refused_at.
with again as (
  delete from inbox_refused
  where
    id = any(array(
      select id from inbox_refused
      where %(is_all)s or id = any(%(ids)s::bigint[])
      order by id limit %(limit)s
      for update skip locked
    ))
  returning id, application, type, content, publisher_id, occurred_at, context, published_at, published_by, bytes
)
insert into inbox (
  id, application, type, content, publisher_id, occurred_at, context, published_at, published_by, bytes
) overriding system value
select * from again
returning id
