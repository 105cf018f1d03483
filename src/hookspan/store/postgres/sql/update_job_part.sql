-- Leaves of a part what is not yet made into deliveries. Leans on the primary key.
update job_part set event_ids = %(event_ids)s where job_id = %(job_id)s and number = %(number)s
