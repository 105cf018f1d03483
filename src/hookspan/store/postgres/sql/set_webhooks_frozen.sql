-- Tells an application's webhooks that they are frozen, or are not. Leans on webhook_application.
with found as materialized (
  select id from webhook where application_id = %(id)s and status <> 4 order by id for update
)
update webhook set is_frozen = %(frozen_at)s::bigint is not null where id = any(array(select id from found))
