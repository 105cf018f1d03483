-- Waits for every transaction that takes in or claims at this moment. Walks node.
select id from node order by id for update
