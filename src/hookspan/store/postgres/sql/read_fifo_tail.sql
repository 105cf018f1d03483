-- The youngest pending delivery of a fifo webhook. Leans on delivery_fifo.
select id from delivery where webhook_id = %s and state = 1 and is_fifo order by id desc limit 1
