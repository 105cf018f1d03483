-- Notes since when a webhook has only failed. Leans on the primary key.
update webhook set failing_since = %(failing_since)s where id = %(id)s and status <> 4
