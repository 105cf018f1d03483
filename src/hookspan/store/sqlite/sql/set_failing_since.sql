-- Notes since when a webhook has only failed. Leans on the primary key.
update webhook set failing_since = :failing_since where id = :id and status <> 4
