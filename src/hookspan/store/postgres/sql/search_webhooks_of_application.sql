-- The same of one application. Leans on webhook_application.
select w.id, w.name, w.url, w.status, a.public_id, a.name, a.profile
from webhook w
join application a on a.id = w.application_id
where
  w.application_id = %(application_id)s and w.id >= %(low)s and w.id < %(high)s and w.status <> 4
  and a.deleted_at is null
  and (
    w.name collate "C" ilike %(given)s escape '\' or w.url collate "C" ilike %(given)s escape '\'
    or %(is_other)s and (
      w.name collate "C" ilike %(small)s escape '\'
      or w.name collate "C" ilike %(capital)s escape '\'
      or w.name collate "C" ilike %(title)s escape '\'
    )
  )
order by w.id desc
limit %(limit)s
