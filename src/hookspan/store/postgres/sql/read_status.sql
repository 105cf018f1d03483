-- Facts about the database itself: the server's version, the size in bytes, its connections. Upkeep.
select
  current_setting('server_version'),
  pg_database_size(current_database()),
  (select count(*) from pg_stat_activity where datname = current_database())
