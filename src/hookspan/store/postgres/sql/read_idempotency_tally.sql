-- How many keys an application has, and the bytes of their answers. Leans on the primary key.
select keys, bytes from idempotency_tally where application_id = %s and is_publish = %s
