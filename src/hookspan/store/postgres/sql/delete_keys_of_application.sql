-- Revokes every key that reaches only one application, in id order. Leans on access_key_application.
delete from access_key
where id in (select id from access_key where scope in (2, 3) and application_id = %s order by id for update)
returning id
