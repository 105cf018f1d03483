-- The order of a webhook that is not deleted. Leans on the primary key.
select delivery_order from webhook where id = %s and status <> 4
