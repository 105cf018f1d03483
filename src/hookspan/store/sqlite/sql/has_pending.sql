-- Whether anything of a webhook is scheduled or in flight. Leans on delivery_due and delivery_claimed.
select
  exists (select 1 from delivery indexed by delivery_due where state = 1 and node = 0 and webhook_id = ?1),
  exists (
    select 1 from node
    cross join delivery d indexed by delivery_claimed on d.node = node.id and d.node <> 0 and d.webhook_id = ?1
  )
