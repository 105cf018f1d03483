-- How many keys an application has of its own. Leans on access_key_application.
select count(*) from access_key where scope = 3 and application_id = %s
