-- Locks someone: links, sessions and the end of them go one after another. Leans on the primary key.
select id from person where id = %s for no key update
