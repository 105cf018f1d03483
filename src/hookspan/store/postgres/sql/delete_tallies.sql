-- Nothing is counted of an application any more. Leans on the primary key.
delete from idempotency_tally where application_id = %s and keys <= 0
