-- As find_audit_walked, of the applications of one public id. Leans on audit_application.
select id from audit
where application = :application and id >= :low and id < :high
order by id desc limit 1 offset :walk - 1
