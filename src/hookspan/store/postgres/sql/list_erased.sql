-- Applications that were deleted and still have traces. Leans on application_deleted.
select id from application where deleted_at is not null order by deleted_at limit %s
