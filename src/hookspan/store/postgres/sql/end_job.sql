-- Nothing more is made of a job: what was not made is skipped. Leans on the primary key.
update job
set state = %(state)s, problem = %(problem)s, skipped = skipped + unfed, unfed = 0
where id = %(id)s
