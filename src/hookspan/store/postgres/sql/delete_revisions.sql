-- Drops revisions that were superseded before a point in time. Leans on webhook_revision_changed and the primary
-- key.
with chosen as materialized (
  select older.webhook_id, older.version
  from webhook_revision newer
  join webhook_revision older on older.webhook_id = newer.webhook_id and older.version = newer.version - 1
  where newer.changed_at < %(before)s
  limit %(limit)s
  for update of older skip locked
)
delete from webhook_revision r
using chosen
where r.webhook_id = chosen.webhook_id and r.version = chosen.version
