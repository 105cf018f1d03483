-- Drops what was refused before a time, some at a time; what another node drops at the same time is left to it. Leans
-- on inbox_refused_at and the primary key.
delete from inbox_refused
where
  id = any(array(
    select id from inbox_refused where refused_at < %(before)s order by refused_at limit %(limit)s
    for update skip locked
  ))
