-- The same of an application's webhooks in a range of ids; each gives at most :limit. Leans on webhook_application,
-- attempt_webhook and the primary keys.
select
  a.id, p.public_id, p.name, p.profile, w.id, w.name, w.url, a.delivery_id, a.event_id, e.type, a.number,
  a.started_at, a.duration_us, a.verdict, a.error, a.error_message, a.response_status
from webhook w
cross join application p on p.id = w.application_id
cross join attempt a on a.id in (
    select x.id from attempt x indexed by attempt_webhook
    where x.webhook_id = w.id and x.id > :after
    order by x.id desc
    limit :limit
)
left join event e on e.id = a.event_id
where w.application_id = :application_id and w.id >= :webhook_low and w.id <= :webhook_high
order by a.id desc
limit :limit
