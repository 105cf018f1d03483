-- Locks webhooks that can't be divided among nodes for a claim; what another holds is passed by. Leans on the primary
-- key.
select id from webhook
where id = any(%(ids)s::bigint[]) and status in (1, 2) and sweep_reason is null
order by id
for no key update skip locked
