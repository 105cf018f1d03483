-- Notes that nothing is left to cancel. Leans on the primary key.
update webhook set sweep_reason = null where id = %s
