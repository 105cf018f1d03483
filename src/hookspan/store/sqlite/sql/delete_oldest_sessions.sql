-- Ends those of someone's sessions that were not seen for longest, all but some. Leans on session_person.
delete from session
where id in (
  select id from session
  where person_id = ?1 and person_id <> 0
  order by coalesce(last_seen_at, created_at) desc, id desc
  limit -1 offset ?2
)
returning id
