-- Another name or role. Leans on the primary key.
update person set name = :name, role = :role where id = :id
