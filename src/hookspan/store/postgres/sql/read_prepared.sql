-- Asked under a prepared name: which process of the server answers, and whether that name stands there as it was given.
select
  pg_backend_pid(),
  exists (select from pg_prepared_statements where name = 'hookspan_check')
