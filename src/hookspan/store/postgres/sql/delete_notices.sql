-- Drops old notices, some at a time; what another node drops at the same time is left to it. Leans on the primary key.
delete from notice
where id in (select id from notice where id < %s order by id limit %s for update skip locked)
