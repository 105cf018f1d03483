-- How many nodes are registered. Upkeep.
select count(*) from node
