-- Lets no webhook have failed since a time to come. Walks webhook, once after a clock was set back.
update webhook set failing_since = ?1 where failing_since > ?1
