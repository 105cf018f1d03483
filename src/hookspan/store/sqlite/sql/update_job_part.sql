-- Leaves of a part what is not yet made into deliveries. Leans on the primary key.
update job_part set event_ids = ?3 where job_id = ?1 and number = ?2
