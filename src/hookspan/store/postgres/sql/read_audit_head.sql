-- The newest line of a chain. Leans on audit_chain.
select id, sequence, hash from audit where application_id = %s order by sequence desc limit 1
