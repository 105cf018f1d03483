-- Which of these applications are frozen. Leans on the primary key.
select application.id
from json_each(?) as given
join application on application.id = given.value
where application.deleted_at is null and application.frozen_at is not null
