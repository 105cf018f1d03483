-- Moves a catching-up webhook on. Leans on the primary key.
update webhook set position = %(position)s where id = %(id)s
