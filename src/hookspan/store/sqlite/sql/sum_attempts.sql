-- Attempts of webhooks in the hours from :since on, and how many succeeded. Leans on the primary key.
select given.value, sum(s.attempts), sum(s.attempts_succeeded)
from json_each(:webhook_ids) given
cross join statistic s on s.subject_id = given.value and s.hour >= :since
group by given.value
