-- One revision of a webhook. Leans on the primary key.
select webhook_id, version, from_position, status, events, url, changed_at
from webhook_revision
where webhook_id = %s and version = %s
