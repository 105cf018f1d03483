-- Revokes every key that reaches only one application. Leans on access_key_application.
delete from access_key where scope in (2, 3) and application_id = ? returning id
