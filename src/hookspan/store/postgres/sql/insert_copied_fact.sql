-- A fact that comes with a copy.
insert into fact (name, value, bytes) values (%s, %s::bigint, %b)
