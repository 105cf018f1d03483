-- Drops attempts of an application's webhooks. Leans on webhook_application and attempt_webhook.
with chosen as materialized (
  select found.id
  from webhook w
  cross join lateral (select id from attempt where webhook_id = w.id limit %(limit)s) found
  where w.application_id = %(application_id)s
  limit %(limit)s
)
delete from attempt where id = any(array(select id from chosen))
