-- The oldest keys of an application that nothing stands for any more. Leans on idempotency_room.
delete from idempotency
where id in (
  select id from idempotency
  where application_id = %(application_id)s and is_publish = %(is_publish)s and began_at < %(before)s
  order by began_at
  limit %(limit)s
  for update
)
