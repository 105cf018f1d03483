-- Notes bytes about the database itself, over what was there.
insert into fact (name, bytes) values (%s, %b) on conflict (name) do update set bytes = excluded.bytes
