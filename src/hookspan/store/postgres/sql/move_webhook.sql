-- Moves a webhook to another status as its next version. Leans on the primary key.
update webhook
set
  status = %(status)s, status_reason = %(status_reason)s, position = %(position)s, credentials = %(credentials)s,
  failing_since = %(failing_since)s, activated_at = %(activated_at)s,
  sweep_reason = coalesce(%(sweep_reason)s::smallint, sweep_reason), version = version + 1, updated_at = %(changed_at)s
where id = %(id)s
