-- Keys of an application that is gone. Leans on idempotency_room.
delete from idempotency where id in (select id from idempotency where application_id = ?1 limit ?2)
