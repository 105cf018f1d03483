-- Remembers what was noticed of a webhook, unless that is another thing than was thought. Leans on the primary key.
-- Upkeep of webhook_failing, webhook_cut_off and webhook_recovering.
update webhook set noticed = :noticed, noticed_at = :at where id = :id and noticed = :was and status <> 4
