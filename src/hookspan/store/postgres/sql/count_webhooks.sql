-- How many webhooks an application has. Leans on webhook_application.
select count(*) from webhook where application_id = %s and status <> 4
