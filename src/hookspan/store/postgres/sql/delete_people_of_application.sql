-- Removes an application's people, in id order. Leans on person_application.
delete from person
where id in (select id from person where application_id = %s order by id for update)
returning id
