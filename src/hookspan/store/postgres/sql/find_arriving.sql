-- What is in the way of an application that comes from another database: itself, or one of the same public id; whether
-- that was deleted. Leans on application_public and the primary key.
select deleted_at is not null from application
where (public_id = %(public_id)s and deleted_at is null) or id = %(id)s
order by deleted_at nulls first
limit 1
