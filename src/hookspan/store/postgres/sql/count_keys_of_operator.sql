-- How many keys the operator has, publishers' among them. Leans on access_key_application.
select count(*) from access_key where scope < 3
