-- The lowest and the highest position of an application's events accepted in [since, until) whose ids say another time;
-- null without any. Leans on event_displaced, which holds no others.
select min(position), max(position) from event
where
  application_id = %(application_id)s and accepted_at >= %(since)s and accepted_at < %(until)s
  and abs((id >> 21) + 1704067200000 - accepted_at) > 60000
