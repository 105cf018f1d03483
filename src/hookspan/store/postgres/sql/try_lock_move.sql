-- Nobody else moves this application as long as the connection lasts; whether nobody did before.
select pg_try_advisory_lock(%s)
