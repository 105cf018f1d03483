-- Ends those of someone's sessions that were not seen for longest, all but some. Leans on session_person.
delete from session
where id in (
  select id from session
  where person_id = %s and person_id <> 0
  order by coalesce(last_seen_at, created_at) desc, id desc
  offset %s
  for update
)
returning id
