-- Every webhook of an application, deleted ones too. Leans on webhook_application.
select id from webhook where application_id = %s order by id
