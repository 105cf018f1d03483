-- Fails scheduled deliveries as expired, those still scheduled. Leans on the primary key.
update delivery
set state = 3, reason = 2, finished_at = ?1, next_attempt_at = null
where id in (select value from json_each(?2)) and state = 1 and node = 0
