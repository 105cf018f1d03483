-- What waits in all: count and lowest id of scheduled ones (at most :most are looked at) and of those in flight. Walks
-- delivery_due and delivery_claimed.
select
  (
    select json_array(count(*), min(id))
    from (select id from delivery indexed by delivery_due where state = 1 and node = 0 limit :most) found
  ),
  (
    select json_array(count(*), min(id))
    from (select id from delivery indexed by delivery_claimed where node <> 0 limit :most) found
  )
