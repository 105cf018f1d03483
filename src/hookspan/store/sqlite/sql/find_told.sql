-- When each kind of notice was last made of webhooks. Leans on notice_webhook and the primary key.
select n.webhook_id, n.kind, max(n.created_at)
from json_each(?) given
cross join notice n indexed by notice_webhook on n.webhook_id = given.value
group by n.webhook_id, n.kind
