-- A node's profiles are in force where none is, or where no registered node that delivers has the one that is. Who
-- registers waits for it. Leans on the primary keys.
insert into profile_in_force (name, hash, since)
select mine.name, mine.hash, %(now)s
from node_profile mine
join node on node.id = mine.node
where mine.node = %(node)s and node.delivers
order by mine.name
on conflict (name) do update set hash = excluded.hash, since = excluded.since
where
  profile_in_force.hash <> excluded.hash
  and not exists (
    select 1 from node_profile other
    join node on node.id = other.node
    where other.name = profile_in_force.name and other.hash = profile_in_force.hash and node.delivers
  )
