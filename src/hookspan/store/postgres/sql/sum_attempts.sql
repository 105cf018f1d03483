-- Attempts of webhooks in the hours from one on, and how many succeeded. Leans on the primary key.
select subject_id, sum(attempts)::bigint, sum(attempts_succeeded)::bigint
from statistic
where subject_id = any(%(webhook_ids)s::bigint[]) and hour >= %(since)s
group by subject_id
