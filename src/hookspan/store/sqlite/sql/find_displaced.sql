-- The lowest and the highest position of an application's events accepted in [since, until) whose ids say another time;
-- null without any. Leans on event_displaced, which holds no others.
select min(position), max(position) from event indexed by event_displaced
where
  application_id = :application_id and accepted_at >= :since and accepted_at < :until
  and abs((id >> 21) + 1704067200000 - accepted_at) > 60000
