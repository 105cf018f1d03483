-- A job has made some of its events into deliveries and skipped others. Leans on the primary key.
update job set unfed = unfed - :taken, skipped = skipped + :skipped, feeds_at = :feeds_at where id = :id
