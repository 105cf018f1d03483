-- Drops revisions of an application's webhooks. Leans on webhook_application and the primary key.
delete from webhook_revision where webhook_id in (select id from webhook where application_id = %s)
