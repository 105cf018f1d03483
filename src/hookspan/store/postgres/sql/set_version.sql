-- Keeps that a migration was run.
insert into hookspan (version, works_since) values (%(version)s, coalesce(%(works_since)s::bigint, 1))
on conflict (is_one) do update
set version = excluded.version, works_since = coalesce(%(works_since)s::bigint, hookspan.works_since)
