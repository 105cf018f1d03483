-- A job has made some of its events into deliveries and skipped others. Leans on the primary key.
update job set unfed = unfed - %(taken)s, skipped = skipped + %(skipped)s, feeds_at = %(feeds_at)s where id = %(id)s
