-- Drops an application's webhooks. Leans on webhook_application.
delete from webhook where application_id = %s
