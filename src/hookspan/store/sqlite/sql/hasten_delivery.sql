-- Makes a scheduled delivery due now. Leans on the primary key.
update delivery set next_attempt_at = :now, cause = :cause where id = :id
