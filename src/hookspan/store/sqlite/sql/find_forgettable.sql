-- Deleted webhooks of which nothing is left to show: one row of ids. Leans on webhook_deleted, delivery_webhook
-- and attempt_webhook.
select json_group_array(id)
from (
  select w.id from webhook w indexed by webhook_deleted
  where
    w.status = 4
    and w.sweep_reason is null
    and not exists (select 1 from delivery where delivery.webhook_id = w.id)
    and not exists (select 1 from attempt where attempt.webhook_id = w.id)
  limit ?
)
