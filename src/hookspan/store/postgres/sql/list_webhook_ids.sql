-- Ids of an application's webhooks within a range, deleted ones too. Leans on webhook_application.
select id from webhook where application_id = %s and id >= %s and id <= %s order by id
