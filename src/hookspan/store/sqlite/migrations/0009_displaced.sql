-- Events whose ids say another time than that of their acceptance: made after a clock that was ahead had been corrected.
-- 1704067200000: the epoch of ids. Empty while clocks are right.
create index event_displaced on event (application_id, accepted_at, position)
where abs((id >> 21) + 1704067200000 - accepted_at) > 60000;

-- The last flush of statistics that this node's rows have got; a flush that is tried again is told by it.
alter table node add column statistics_flush integer not null default 0;
