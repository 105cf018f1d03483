-- Takes applications of the inbox for a node that is registered: those that no other living node has. Leans on the
-- primary keys.
with here as materialized (
  select id from node where id = %(node)s for key share
)
insert into inbox_hold (application, node)
select given.application, here.id
from unnest(%(applications)s::text[]) as given (application)
cross join here
order by given.application
on conflict (application) do update set node = excluded.node
where
  inbox_hold.node = excluded.node
  or not exists (select 1 from node where node.id = inbox_hold.node)
returning application
