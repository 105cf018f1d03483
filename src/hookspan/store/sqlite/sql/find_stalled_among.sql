-- Webhooks of the fifo deliveries among these that are stalled: one row of ids. Leans on the primary key.
select json_group_array(distinct delivery.webhook_id)
from json_each(?1) given
cross join delivery on delivery.id = given.value
where delivery.state = 1 and delivery.node = 0 and delivery.is_fifo = 1 and delivery.next_attempt_at is null
