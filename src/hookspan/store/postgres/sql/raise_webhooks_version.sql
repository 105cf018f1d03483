-- Tells every holder of an application's webhooks that they have changed. Leans on the primary key.
update application set webhooks_version = webhooks_version + 1 where id = %s
