-- Webhooks of all applications whose name or URL has a text, newest first. Walks the webhooks by the primary key, as
-- search_applications does.
select w.id, w.name, w.url, w.status, a.public_id, a.name, a.profile
from webhook w
cross join application a on a.id = w.application_id
where
  w.id >= :low and w.id < :high and w.status <> 4 and a.deleted_at is null
  and (
    w.name like :given escape '\' or w.url like :given escape '\'
    or :is_other and (
      w.name like :small escape '\' or w.name like :capital escape '\' or w.name like :title escape '\'
    )
  )
order by w.id desc
limit :limit
