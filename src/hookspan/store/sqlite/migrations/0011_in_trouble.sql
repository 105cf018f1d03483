-- Webhooks that fail, or were switched off because they did: for who looks after them. Empty while all is well.
create index webhook_in_trouble on webhook (application_id)
where failing_since is not null or (status = 3 and status_reason >= 3);
