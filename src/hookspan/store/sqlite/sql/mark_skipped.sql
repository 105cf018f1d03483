-- Notes of what is claimed that it was skipped: should it be given back unsent, it is cancelled. Leans on
-- delivery_claimed.
update delivery set reason = 14
where id in (
  select d.id from node
  cross join delivery d indexed by delivery_claimed on d.node = node.id and d.node <> 0 and d.webhook_id = ?1
)
