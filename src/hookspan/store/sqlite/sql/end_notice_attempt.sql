-- What came of an attempt of a notice, unless somebody else has taken it meanwhile. Leans on the primary key.
update notice
set
  outcome = :outcome, problem = :problem, finished_at = iif(:outcome is null, null, :at),
  next_attempt_at = iif(:outcome is null, :at, null)
where id = :id and attempts = :attempts and finished_at is null
