-- Drops old notices, some at a time. Leans on the primary key.
delete from notice where id in (select id from notice where id < ?1 order by id limit ?2)
