-- Jobs that were finished before a point in time; what another node drops at the same time is left to it. Leans on
-- job_finished.
select id from job
where finished_at is not null and finished_at < %s
order by finished_at
limit %s
for update skip locked
