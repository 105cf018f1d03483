-- The oldest pending delivery of a fifo webhook. Leans on delivery_fifo.
select min(id) from delivery indexed by delivery_fifo where webhook_id = ? and state = 1 and is_fifo = 1
