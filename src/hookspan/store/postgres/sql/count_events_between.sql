-- How many events there are between two ids, counted up to a bound. Leans on the primary key.
select count(*) from (select 1 from event where id >= %(low)s and id < %(high)s order by id limit %(most)s) counted
