-- Where a node's profiles are not those in force: name, hash in force, its own; null for what is not there. What it does
-- not have is told while somebody who delivers has it, or while it is not registered itself: what nobody has any more is
-- nobody's to leave alone. Walks tables of a few rows.
select name, p.hash, mine.hash
from (select name, hash from node_profile where node = %(node)s) as mine
full join profile_in_force p using (name)
where
  mine.hash is distinct from p.hash
  and (
    mine.hash is not null
    or not exists (select 1 from node where node.id = %(node)s)
    or exists (
      select 1 from node_profile other
      join node on node.id = other.node
      where other.name = p.name and other.hash = p.hash and node.delivers
    )
  )
order by name
