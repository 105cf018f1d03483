-- The highest id ever kept, by table, dropped ones by the note of them. Leans on the primary keys.
select greatest(
  coalesce((select value from fact where name = 'highest_dropped_id'), 0),
  coalesce((select max(id) from application), 0),
  coalesce((select max(id) from webhook), 0),
  coalesce((select max(id) from event), 0),
  coalesce((select max(id) from delivery), 0),
  coalesce((select max(id) from attempt), 0),
  coalesce((select max(id) from job), 0),
  coalesce((select max(id) from access_key), 0),
  coalesce((select max(id) from person), 0),
  coalesce((select max(id) from session), 0),
  coalesce((select max(id) from audit), 0),
  coalesce((select max(id) from notice), 0)
)
