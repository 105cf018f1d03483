-- A new webhook. Upkeep of webhook_application.
insert into webhook (
  id, application_id, name, url, status, status_reason, events, delivery_order, rate, concurrency, event_epoch,
  credentials, position, version, created_at, updated_at,
  also_sign
) values (
  %(id)s, %(application_id)s, %(name)s, %(url)s, %(status)s, %(status_reason)s, %(events)s, %(order)s, %(rate)s,
  %(concurrency)s, %(event_epoch)s,
  %(credentials)s, %(position)s, 1, %(created_at)s, %(created_at)s,
  %(also_sign)s
)
