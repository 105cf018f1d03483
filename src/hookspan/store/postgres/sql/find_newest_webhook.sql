-- The newest webhook of an application, a deleted one too. Leans on webhook_application.
select max(id) from webhook where application_id = %s
