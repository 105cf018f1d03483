-- How many webhooks an application has. Leans on webhook_application.
select count(*) from webhook where application_id = ? and status <> 4
