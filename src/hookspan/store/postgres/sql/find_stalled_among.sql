-- Webhooks of the fifo deliveries among these that are stalled. Leans on the primary key.
select distinct webhook_id from delivery
where id = any(%s::bigint[]) and state = 1 and node = 0 and is_fifo and next_attempt_at is null
order by webhook_id
