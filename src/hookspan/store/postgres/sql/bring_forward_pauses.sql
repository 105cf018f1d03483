-- After a clock was set back: no pause began or ended in the future, or rounds would begin anew until then. Walks
-- the small table.
update pause
set
  paused_at = case when paused_at > %(now)s then %(now)s::bigint else paused_at end,
  ended_at = case when ended_at > %(now)s then %(now)s::bigint else ended_at end
where paused_at > %(now)s or ended_at > %(now)s
