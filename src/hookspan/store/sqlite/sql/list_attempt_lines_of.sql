-- The same of an application's webhooks in a range of ids; each gives at most :limit. Leans on webhook_application,
-- attempt_webhook and the primary keys.
select
  a.id, p.public_id, p.name, p.profile, w.id, w.name, w.url, a.delivery_id, a.event_id, e.type, a.number,
  a.started_at, a.duration_us, a.verdict, a.error, a.error_message, a.response_status
from (
  select x.id
  from webhook
  cross join attempt x on x.id in (
      select y.id from attempt y indexed by attempt_webhook
      where y.webhook_id = webhook.id and y.id > :after
      order by y.id desc
      limit :limit
  )
  where webhook.application_id = :application_id and webhook.id >= :webhook_low and webhook.id <= :webhook_high
  order by x.id desc
  limit :limit
) found
cross join attempt a on a.id = found.id
cross join webhook w on w.id = a.webhook_id
cross join application p on p.id = w.application_id
left join event e on e.id = a.event_id
order by a.id desc
