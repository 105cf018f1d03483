-- The same of one application. Leans on webhook_application.
select w.id, w.name, w.url, w.status, a.public_id, a.name, a.profile
from webhook w
cross join application a on a.id = w.application_id
where
  w.application_id = :application_id and w.id >= :low and w.id < :high and w.status <> 4 and a.deleted_at is null
  and (
    w.name like :given escape '\' or w.url like :given escape '\'
    or :is_other and (
      w.name like :small escape '\' or w.name like :capital escape '\' or w.name like :title escape '\'
    )
  )
order by w.id desc
limit :limit
