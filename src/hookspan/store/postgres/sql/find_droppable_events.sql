-- Events between two ids of which nothing is in flight, oldest first. Leans on the primary key and on delivery_claimed,
-- which is short.
select id from event
where
  id > %(after)s and id >= %(low)s and id < %(high)s
  and id not in (select event_id from delivery where node <> 0 and event_id < %(high)s)
order by id
limit %(limit)s
