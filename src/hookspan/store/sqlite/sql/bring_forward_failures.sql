-- Lets no webhook have failed since a time to come, nor be switched on then. Walks webhook, once after a clock was set
-- back.
update webhook set failing_since = min(failing_since, ?1), activated_at = min(activated_at, ?1)
where failing_since > ?1 or activated_at > ?1
