-- Forgets what flushes nodes brought that were taken out long ago. Walks the few facts.
delete from fact
where case when left(name, 6) = 'flush_' then substr(name, 7)::bigint < %s else false end
