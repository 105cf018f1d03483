-- The newest line of a chain. Leans on audit_chain.
select sequence, hash from audit where application_id = ? order by sequence desc limit 1
