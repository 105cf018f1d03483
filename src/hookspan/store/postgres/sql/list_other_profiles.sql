-- Where a node's profiles are not those in force: name, hash in force, its own; null for what is not there. Walks tables
-- of a few rows.
select name, p.hash, mine.hash
from (select name, hash from node_profile where node = %s) as mine
full join profile_in_force p using (name)
where mine.hash is distinct from p.hash
order by name
