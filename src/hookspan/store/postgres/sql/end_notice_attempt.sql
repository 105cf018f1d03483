-- What came of an attempt of a notice, unless somebody else has taken it meanwhile. Leans on the primary key.
update notice
set
  outcome = %(outcome)s::smallint, problem = %(problem)s::text,
  finished_at = case when %(outcome)s::smallint is null then null else %(at)s::bigint end,
  next_attempt_at = case when %(outcome)s::smallint is null then %(at)s::bigint end
where id = %(id)s and attempts = %(attempts)s and finished_at is null
