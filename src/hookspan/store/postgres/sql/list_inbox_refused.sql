-- What was refused, newest first. Leans on inbox_refused_at.
select id, application, type, publisher_id, published_at, published_by, refused_at, code, detail, pointer
from inbox_refused
order by refused_at desc, id desc
limit %s
