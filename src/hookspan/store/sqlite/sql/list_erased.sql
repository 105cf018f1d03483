-- Applications that were deleted and still have traces. Leans on application_deleted.
select json_group_array(id)
from (select id from application indexed by application_deleted where deleted_at is not null order by deleted_at limit ?)
