-- The nodes that are registered, with their counters and whether they claim. Walks the table of a few rows.
select id, counter, delivers from node order by id
