-- Ends someone's sessions. Leans on session_person.
delete from session where person_id = ? and person_id <> 0 returning id
