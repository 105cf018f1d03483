-- Drops attempts of an application's webhooks. Leans on webhook_application and attempt_webhook.
delete from attempt
where id in (
  select attempt.id
  from webhook
  cross join attempt indexed by attempt_webhook on attempt.webhook_id = webhook.id
  where webhook.application_id = ?1
  limit ?2
)
