-- The webhooks' version of each of some applications that are there. Leans on the primary key.
select application.id, application.webhooks_version
from json_each(?) as given
join application on application.id = given.value
where application.deleted_at is null
