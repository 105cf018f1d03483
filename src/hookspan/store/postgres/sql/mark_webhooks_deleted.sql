-- Takes an application's webhooks out of reach, without their credentials. Leans on webhook_application.
with found as materialized (
  select id from webhook where application_id = %(application_id)s and status <> 4 order by id for update
)
update webhook
set
  status = 4, status_reason = null, credentials = %(credentials)s, sweep_reason = %(sweep_reason)s,
  version = version + 1, updated_at = %(now)s
where id = any(array(select id from found))
