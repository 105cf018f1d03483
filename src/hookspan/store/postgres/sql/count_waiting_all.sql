-- What waits in all: count and lowest id of scheduled ones (at most so many are looked at) and of those in flight. Walks
-- delivery_due and delivery_claimed.
select scheduled.count, scheduled.oldest, held.count, held.oldest
from
  (
    select count(*) as count, min(found.id) as oldest
    from (select id from delivery where state = 1 and node = 0 limit %(most)s) as found
  ) as scheduled
cross join (
    select count(*) as count, min(found.id) as oldest
    from (select id from delivery where node <> 0 limit %(most)s) as found
  ) as held
