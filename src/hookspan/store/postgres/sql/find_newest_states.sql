-- Of events, run and state of the newest delivery to a webhook, in the order given. A delivery's id is above its event's,
-- but for what clocks of nodes differ: that spares looking into old partitions. Leans on delivery_webhook.
select given.id, newest.run, newest.state
from unnest(%(event_ids)s::bigint[]) with ordinality as given (id, place)
left join lateral (
  select d.run, d.state from delivery as d
  where d.webhook_id = %(webhook_id)s and d.event_id = given.id and d.id >= %(made_after)s
  order by d.run desc
  limit 1
) as newest on true
order by given.place
