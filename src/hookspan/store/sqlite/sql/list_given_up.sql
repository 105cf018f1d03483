-- Failed deliveries of events from an id on that no later run has made good, of webhooks of applications in a range of
-- ids, by how the last attempt failed; the newest :each of each of :webhooks that have any, among the newest
-- applications' :look. Leans on webhook_application, delivery_unhappy, delivery_webhook and the primary keys.
select
  given.webhook_id, a.error, a.response_status, count(*), min(coalesce(a.started_at, given.finished_at)),
  max(coalesce(a.started_at, given.finished_at)), max(given.id), max(given.looked) >= :each
from (
  select
    d.id, d.webhook_id, d.event_id, d.run, d.last_attempt_id, d.finished_at,
    count(*) over (partition by d.webhook_id) as looked
  from (
    select given.id
    from (
      select w.id
      from application p
      cross join webhook w indexed by webhook_application on w.application_id = p.id
      where p.id >= :low and p.id <= :high and p.deleted_at is null and w.status <> 4
      order by p.id desc
      limit :look
    ) given
    where exists (
      select 1 from delivery x indexed by delivery_unhappy
      where x.webhook_id = given.id and x.event_id >= :since and x.state >= 3 and x.state = 3
    )
    limit :webhooks
  ) found
  cross join delivery d on d.id in (
      select x.id from delivery x indexed by delivery_unhappy
      where x.webhook_id = found.id and x.event_id >= :since and x.state >= 3 and x.state = 3
      order by x.event_id desc, x.run desc
      limit :each
  )
) given
left join attempt a on a.id = given.last_attempt_id
where not exists (
  select 1 from delivery y indexed by delivery_webhook
  where y.webhook_id = given.webhook_id and y.event_id = given.event_id and y.run > given.run and y.state = 2
)
group by given.webhook_id, a.error, a.response_status
