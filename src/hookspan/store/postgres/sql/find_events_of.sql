-- Some events of an application of which nothing is in flight, oldest first. Leans on event_position and on
-- delivery_claimed, which is short.
select id from event
where
  application_id = %(application_id)s
  and id not in (select event_id from delivery where node <> 0)
order by position
limit %(limit)s
