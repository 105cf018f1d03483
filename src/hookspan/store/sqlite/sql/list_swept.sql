-- Webhooks whose waiting deliveries are being cancelled. Leans on webhook_swept.
select id, sweep_reason, status from webhook indexed by webhook_swept where sweep_reason is not null limit ?
