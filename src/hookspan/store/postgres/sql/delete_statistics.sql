-- Drops hours before one, some at a time; what another node drops at the same time is left to it. Leans on statistic_hour
-- and the primary key.
delete from statistic
where (subject_id, hour) in (
  select subject_id, hour from statistic where hour < %s limit %s for update skip locked
)
