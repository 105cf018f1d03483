-- A copy into this database begins.
insert into fact (name, bytes) values ('copy', %b)
