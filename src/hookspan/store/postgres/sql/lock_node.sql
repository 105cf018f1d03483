-- Keeps a node registered until the transaction ends, and says below which id nothing is pending; no row where it is
-- not. Leans on the primary keys.
select coalesce((select value from fact where name = 'lowest_pending'), 0)
from node
where id = %s
for key share
