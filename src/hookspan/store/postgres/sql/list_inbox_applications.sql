-- Applications after a name of which something waits in the inbox, with whether another node that lives takes in for
-- them now. Walks from name to name, at most so many. Leans on inbox_application and the primary keys.
with recursive found (application, number) as (
  (select application, 1 from inbox where application > %(after)s order by application limit 1)
  union all
  select next.application, found.number + 1
  from found
  cross join lateral (
    select application from inbox where inbox.application > found.application order by application limit 1
  ) next
  where found.number < %(limit)s
)
select
  found.application,
  exists (
    select 1 from inbox_hold
    join node on node.id = inbox_hold.node
    where inbox_hold.application = found.application and inbox_hold.node <> %(node)s
  )
from found
order by found.application
