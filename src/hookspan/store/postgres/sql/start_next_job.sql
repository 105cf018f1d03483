-- An application's oldest queued job runs. Leans on job_unfinished and the primary key.
update job set state = 2, started_at = %(now)s, feeds_at = %(now)s
where id = (
  select id from job
  where application_id = %(application_id)s and state = 1 and finished_at is null
  order by id limit 1
)
