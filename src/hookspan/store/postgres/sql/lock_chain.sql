-- Locks the end of an audit chain, which is no row: there may be none yet. Until the transaction ends.
select pg_advisory_xact_lock(1752393571, %s)
