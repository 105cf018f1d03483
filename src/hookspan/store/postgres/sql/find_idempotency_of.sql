-- Some keys of an application. Leans on idempotency_room.
select id from idempotency where application_id = %s limit %s
