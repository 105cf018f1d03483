-- Lets no webhook have failed since a time to come, nor be switched on then. Walks webhook, once after a clock was set
-- back.
with chosen as materialized (
  select id from webhook
  where failing_since > %(now)s or activated_at > %(now)s
  order by id
  for no key update skip locked
)
update webhook
set
  failing_since = case when failing_since > %(now)s then %(now)s::bigint else failing_since end,
  activated_at = case when activated_at > %(now)s then %(now)s::bigint else activated_at end
where id = any(array(select id from chosen))
