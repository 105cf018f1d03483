-- The one node's profiles, a JSON object of hashes by name, are in force. Leans on the primary key.
insert into profile_in_force (name, hash, since)
select key, value, :now from json_each(:profiles) where true
on conflict (name) do update set hash = excluded.hash, since = excluded.since
where profile_in_force.hash <> excluded.hash
