-- How much waits in the inbox, counted up to a number, when the oldest of it was published, and how much was refused,
-- counted up to the same. Leans on the primary key of the first.
select
  (select count(*) from (select 1 from inbox limit %(limit)s) counted),
  (select published_at from inbox order by id limit 1),
  (select count(*) from (select 1 from inbox_refused limit %(limit)s) counted)
