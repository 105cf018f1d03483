-- The schema's version, and the oldest version whose programs can use it.
select version, works_since from hookspan
