-- The nodes that are registered, with their counters, whether they claim, and their trust windows. Walks the table of a few rows.
select id, counter, delivers, trust_window from node order by id
