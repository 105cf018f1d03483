-- An application's oldest queued job runs. Leans on job_unfinished and the primary key.
update job set state = 2, started_at = :now, feeds_at = :now
where id = (
  select id from job indexed by job_unfinished
  where application_id = :application_id and state = 1 and finished_at is null
  order by id limit 1
)
