-- Remembers what was noticed of a webhook, unless that is another thing than was thought. Leans on the primary key.
-- Upkeep of webhook_failing, webhook_cut_off and webhook_recovering.
update webhook set noticed = %(noticed)s, noticed_at = %(at)s where id = %(id)s and noticed = %(was)s and status <> 4
