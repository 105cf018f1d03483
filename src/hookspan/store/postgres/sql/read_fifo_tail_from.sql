-- The youngest pending delivery of a fifo webhook; below :low there is none. Leans on delivery_fifo.
select id from delivery
where webhook_id = %(webhook)s and state = 1 and is_fifo and id >= %(low)s
order by id desc
limit 1
