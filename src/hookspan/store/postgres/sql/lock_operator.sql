-- Locks what is counted of the installation itself: its keys (1), its people (2). Until the transaction ends.
select pg_advisory_xact_lock(1752393587, %s)
