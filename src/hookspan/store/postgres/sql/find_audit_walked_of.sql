-- As find_audit_walked, of the applications of one public id. Leans on audit_application.
select id from audit
where application = %(application)s and id >= %(low)s and id < %(high)s
order by id desc limit 1 offset %(walk)s - 1
