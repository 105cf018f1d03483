-- Failed deliveries of events from an id on that no later run has made good, of webhooks of applications in a range of
-- ids, by how the last attempt failed; so many of the newest of each of so many that have any, among so many of the
-- newest applications'. No delivery is older than its event, so older partitions are left out. Leans on
-- webhook_application, delivery_unhappy, delivery_event and the primary keys.
select
  given.webhook_id, a.error, a.response_status, count(*), min(coalesce(a.started_at, given.finished_at)),
  max(coalesce(a.started_at, given.finished_at)), max(given.id), max(given.looked) >= %(each)s
from (
  select newest.*, count(*) over (partition by newest.webhook_id) as looked
  from (
    select given.id
    from (
      select w.id, w.application_id
      from application p
      join webhook w on w.application_id = p.id
      where p.id >= %(low)s and p.id <= %(high)s and p.deleted_at is null and w.status <> 4
      order by w.application_id desc
      limit %(look)s
    ) given
    where
      (
        select x.id from delivery x
        where
          x.webhook_id >= given.id and x.webhook_id <= given.id and x.event_id >= %(since)s and x.id >= %(lowest)s
          and x.state >= 3 and x.state = 3
        order by x.webhook_id desc, x.event_id desc, x.run desc
        limit 1
      ) is not null
    order by given.application_id desc
    limit %(webhooks)s
  ) found
  cross join lateral (
    select id, webhook_id, event_id, run, last_attempt_id, finished_at from delivery
    where
      webhook_id >= found.id and webhook_id <= found.id and event_id >= %(since)s and id >= %(lowest)s
      and state >= 3 and state = 3
    order by webhook_id desc, event_id desc, run desc
    limit %(each)s
  ) newest
) given
left join lateral (
  select error, response_status, started_at from attempt where id = given.last_attempt_id limit 1
) a on true
where
  (
    select y.id from delivery y
    where
      y.event_id = given.event_id and y.webhook_id = given.webhook_id and y.run > given.run and y.state = 2
      and y.id >= %(lowest)s
    limit 1
  ) is null
group by given.webhook_id, a.error, a.response_status
