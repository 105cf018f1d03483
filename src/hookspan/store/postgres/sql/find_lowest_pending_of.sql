-- The first pending delivery of webhooks. Leans on delivery_due.
select min(id) from delivery where state = 1 and node = 0 and webhook_id = any(%s::bigint[])
