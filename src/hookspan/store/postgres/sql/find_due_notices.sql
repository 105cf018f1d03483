-- Notices that are due, longest first, with their applications. Leans on notice_due.
select id, application_id from notice
where
  finished_at is null and next_attempt_at <= %s
  and not exists (select 1 from application as a where a.id = notice.application_id and a.frozen_at is not null)
order by next_attempt_at
limit %s
