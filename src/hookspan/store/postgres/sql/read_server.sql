-- What makes a server unfit: whether it takes no writes, and whether it could forget what it has committed.
select
  pg_is_in_recovery(),
  current_setting('default_transaction_read_only')::boolean,
  current_setting('fsync'),
  current_setting('full_page_writes'),
  current_setting('synchronous_commit'),
  current_setting('server_encoding')
