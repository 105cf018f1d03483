-- When a webhook was last switched on: the time before spends no window of what waited for it.
alter table webhook add column activated_at integer;

-- When the webhook of a delivery stalled that took the stall over from one that was cancelled or expired.
alter table delivery add column stalled_at integer;
