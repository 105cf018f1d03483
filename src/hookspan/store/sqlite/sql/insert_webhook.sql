-- A new webhook. Upkeep of webhook_application.
insert into webhook (
  id, application_id, name, url, status, status_reason, events, delivery_order, rate, concurrency, event_epoch,
  credentials, position, version, created_at, updated_at,
  also_sign
) values (
  :id, :application_id, :name, :url, :status, :status_reason, :events, :order, :rate, :concurrency, :event_epoch,
  :credentials, :position, 1, :created_at, :created_at,
  :also_sign
)
