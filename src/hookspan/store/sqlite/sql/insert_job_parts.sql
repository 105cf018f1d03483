-- Keeps events that a job has yet to make into deliveries. Upkeep of the primary key.
insert into job_part (job_id, number, event_ids) values (?, ?, ?)
