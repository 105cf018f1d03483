-- Notices that are due, longest first, with their applications. Leans on notice_due.
select id, application_id from notice
where finished_at is null and next_attempt_at <= %s
order by next_attempt_at
limit %s
