-- Deleted webhooks of which nothing is left to show. Leans on webhook_deleted, delivery_webhook and attempt_webhook.
select w.id from webhook w
where
  w.status = 4
  and w.sweep_reason is null
  and (
    select d.id from delivery d
    where d.webhook_id >= w.id and d.webhook_id <= w.id
    order by d.webhook_id, d.event_id
    limit 1
  ) is null
  and (
    select t.id from attempt t
    where t.webhook_id >= w.id and t.webhook_id <= w.id
    order by t.webhook_id, t.id
    limit 1
  ) is null
limit %s
