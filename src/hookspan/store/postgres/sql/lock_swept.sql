-- Why the deliveries of a webhook are being cancelled, and its status, locked; no row where they are not, or where
-- somebody else has it. Leans on the primary key.
select sweep_reason, status from webhook where id = %s and sweep_reason is not null for update skip locked
