-- Why the deliveries of a webhook are being cancelled, null when they are not. Leans on the primary key.
select sweep_reason from webhook where id = %s
