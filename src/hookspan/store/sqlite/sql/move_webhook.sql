-- Moves a webhook to another status as its next version. Leans on the primary key.
update webhook
set
  status = :status, status_reason = :status_reason, position = :position, credentials = :credentials,
  failing_since = :failing_since, activated_at = :activated_at, sweep_reason = coalesce(:sweep_reason, sweep_reason), version = version + 1,
  updated_at = :changed_at
where id = :id
