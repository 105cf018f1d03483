-- Nothing more is made of a job: what was not made is skipped. Leans on the primary key.
update job
set state = :state, problem = :problem, skipped = skipped + unfed, unfed = 0
where id = :id
