-- Another name or role. Leans on the primary key.
update person set name = %(name)s, role = %(role)s where id = %(id)s
