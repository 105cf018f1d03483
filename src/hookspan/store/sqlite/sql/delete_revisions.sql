-- Drops revisions that were superseded before a point in time. Leans on webhook_revision_changed and the primary
-- key.
delete from webhook_revision
where (webhook_id, version) in (
  select older.webhook_id, older.version
  from webhook_revision newer indexed by webhook_revision_changed
  cross join webhook_revision older on older.webhook_id = newer.webhook_id and older.version = newer.version - 1
  where newer.changed_at < ?1
  limit ?2
)
