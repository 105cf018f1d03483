-- Moves applications on in their sequences, many a statement. Leans on the primary key.
with moved (id, last_position) as (values (?, ?))
update application set last_position = moved.last_position from moved where application.id = moved.id
