-- Webhooks whose waiting deliveries are being cancelled. Leans on webhook_swept.
select id from webhook where sweep_reason is not null order by id limit %s
