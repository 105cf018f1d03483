-- What webhooks were when the event at a position was published: each one's newest revision from before. Leans on the
-- primary key.
select r.webhook_id, r.version, r.from_position, r.status, r.events, r.url, r.changed_at
from json_each(:webhook_ids) given
cross join webhook_revision r
  on r.webhook_id = given.value
  and r.version = (
    select version from webhook_revision
    where webhook_id = given.value and from_position < :position
    order by version desc
    limit 1
  )
