-- How many deliveries of webhooks somebody holds. Walks delivery_claimed.
select count(*) from delivery where node <> 0 and webhook_id = any(%s::bigint[])
