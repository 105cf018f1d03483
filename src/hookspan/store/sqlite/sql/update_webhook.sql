-- Writes a webhook's members as its next version. Leans on the primary key.
update webhook
set
  name = :name, url = :url, events = :events, delivery_order = :order, rate = :rate, concurrency = :concurrency,
  also_sign = :also_sign, credentials = :credentials, version = version + 1, updated_at = :changed_at
where id = :id
