-- Drops what was refused: these, or so many of all. Leans on the primary key.
delete from inbox_refused
where
  id = any(array(
    select id from inbox_refused
    where %(is_all)s or id = any(%(ids)s::bigint[])
    order by id limit %(limit)s
    for update skip locked
  ))
returning id
