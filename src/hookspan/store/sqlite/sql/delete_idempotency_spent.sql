-- The oldest keys of an application that nothing stands for any more. Leans on idempotency_room.
delete from idempotency
where id in (
  select id from idempotency
  where application_id = ?1 and is_publish = ?2 and began_at < ?3 order by began_at limit ?4
)
