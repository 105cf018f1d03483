-- Ends someone's sessions, in id order. Leans on session_person.
delete from session
where id in (select id from session where person_id = %s and person_id <> 0 order by id for update)
returning id
