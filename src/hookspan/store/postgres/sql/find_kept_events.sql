-- Which of these events stay, for a delivery of theirs is pending or has expired since then. Leans on delivery_event.
select distinct event_id from delivery
where
  event_id = any(%(event_ids)s::bigint[])
  and (state = 1 or state = 3 and reason = 2 and finished_at > %(shown_since)s)
