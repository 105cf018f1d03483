-- A pause ends, unless it has ended. Leans on the primary key.
update pause set ended_at = :now where id = :id and ended_at is null
