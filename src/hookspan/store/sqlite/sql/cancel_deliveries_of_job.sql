-- Cancels some of a job's waiting deliveries, those that were never tried first. Leans on delivery_job.
update delivery
set state = 4, reason = :reason, finished_at = :now, next_attempt_at = null
where id in (
  select id from delivery indexed by delivery_job
  where job_id = :job_id and state = 1 and node = 0
  limit :limit
)
