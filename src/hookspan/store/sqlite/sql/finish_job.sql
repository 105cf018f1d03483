-- All deliveries of a job have ended: what became of them is counted for good. Leans on the primary key and on
-- delivery_job.
update job
set
  state = :state,
  finished_at = :now,
  succeeded = succeeded + (select count(*) from delivery indexed by delivery_job where job_id = :id and state = 2),
  failed = failed + (select count(*) from delivery indexed by delivery_job where job_id = :id and state = 3),
  skipped = skipped + (select count(*) from delivery indexed by delivery_job where job_id = :id and state = 4)
where id = :id
