-- Keeps a node registered until the transaction ends, and says below which id nothing is pending and whether anything
-- is paused; no row where it is not. Leans on the primary keys, and on pause_in_force.
select
  coalesce((select value from fact where name = 'lowest_pending'), 0),
  exists (select 1 from pause where ended_at is null)
from node
where id = %s
for key share
