-- Which of these rows of the inbox are still there. Leans on the primary key.
select id from inbox where id = any(%s::bigint[]) order by id for update
