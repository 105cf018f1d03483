-- What waits in the inbox for these applications, in its order: at most so many rows of each, so many in all, and about
-- so many bytes. Leans on inbox_application.
select id, application, type, content, publisher_id, occurred_at, context, published_at
from (
  select
    taken.*,
    row_number() over in_order as number,
    sum(taken.bytes) over in_order - taken.bytes as bytes_before
  from unnest(%(applications)s::text[]) as given (application)
  cross join lateral (
    select * from inbox where inbox.application = given.application order by id limit %(each)s
  ) taken
  window in_order as (order by taken.application, taken.id)
) counted
where number <= %(limit)s and bytes_before < %(bytes_max)s
order by application, id
