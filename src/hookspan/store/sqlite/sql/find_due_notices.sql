-- Notices that are due, longest first: one row of [id, application id]. Leans on notice_due.
select json_group_array(json_array(id, application_id))
from (
  select id, application_id from notice indexed by notice_due
  where
    finished_at is null and next_attempt_at <= ?1
    and not exists (select 1 from application a where a.id = notice.application_id and a.frozen_at is not null)
  order by next_attempt_at
  limit ?2
) found
