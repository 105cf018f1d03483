-- Revokes a key. Leans on the primary key.
delete from access_key where id = %s returning id
