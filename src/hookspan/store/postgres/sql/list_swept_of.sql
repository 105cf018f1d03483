-- Webhooks of an application whose waiting deliveries are being cancelled. Leans on webhook_application.
select id from webhook where application_id = %s and sweep_reason is not null order by id limit %s
