-- Keeps the encryption check value unless there is one.
insert into fact (name, bytes) values ('check_value', %b) on conflict (name) do nothing
