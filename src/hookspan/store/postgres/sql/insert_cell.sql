-- Keeps the number of this database among others unless it has one.
insert into fact (name, value) values ('cell', %s) on conflict (name) do nothing
