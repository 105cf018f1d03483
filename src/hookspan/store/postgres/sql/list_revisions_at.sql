-- What webhooks were when the event at a position was published: each one's newest revision from before. Leans on the
-- primary key.
select r.webhook_id, r.version, r.from_position, r.status, r.events, r.url, r.changed_at
from unnest(%(webhook_ids)s::bigint[]) given (id)
cross join lateral (
  select * from webhook_revision
  where webhook_id = given.id and from_position < %(position)s
  order by version desc
  limit 1
) r
