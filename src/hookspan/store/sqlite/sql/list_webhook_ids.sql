-- Ids of an application's webhooks within a range, deleted ones too. Leans on webhook_application.
select json_group_array(id) from webhook where application_id = ?1 and id >= ?2 and id <= ?3
