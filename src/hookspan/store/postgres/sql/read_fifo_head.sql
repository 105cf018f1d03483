-- The oldest pending delivery of a fifo webhook. Leans on delivery_fifo.
select id from delivery where webhook_id = %s and state = 1 and is_fifo order by id limit 1
