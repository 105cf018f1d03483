-- Deleted webhooks of which nothing is left to show. Leans on webhook_deleted, delivery_webhook and attempt_webhook.
select w.id from webhook w
where
  w.status = 4
  and w.sweep_reason is null
  and (select d.id from delivery d where d.webhook_id = w.id limit 1) is null
  and (select t.id from attempt t where t.webhook_id = w.id limit 1) is null
limit %s
