-- Writes a webhook's members as its next version. Leans on the primary key.
update webhook
set
  name = %(name)s, url = %(url)s, events = %(events)s, delivery_order = %(order)s, rate = %(rate)s,
  concurrency = %(concurrency)s, also_sign = %(also_sign)s, credentials = %(credentials)s, version = version + 1, updated_at = %(changed_at)s
where id = %(id)s
