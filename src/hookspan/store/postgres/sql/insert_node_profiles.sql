-- The profiles that a node has.
insert into node_profile (node, name, hash)
select %(node)s, given.name, given.hash
from unnest(%(names)s::text[], %(hashes)s::text[]) as given (name, hash)
