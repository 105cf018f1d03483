-- Drops hours before one, some at a time. Leans on statistic_hour and the primary key.
delete from statistic
where (subject_id, hour) in (
  select subject_id, hour from statistic indexed by statistic_hour where hour < ?1 limit ?2
)
