-- Moves rows of the inbox, where they are still there, to what was refused. Leans on the primary keys.
with refused as (
  delete from inbox where id = any(%(ids)s::bigint[])
  returning id, application, type, content, publisher_id, occurred_at, context, published_at, published_by, bytes
)
insert into inbox_refused (
  id, application, type, content, publisher_id, occurred_at, context, published_at, published_by, bytes,
  refused_at, code, detail, pointer
)
select
  refused.id, refused.application, refused.type, refused.content, refused.publisher_id, refused.occurred_at,
  refused.context, refused.published_at, refused.published_by, refused.bytes,
  %(now)s, given.code, given.detail, given.pointer
from
  unnest(%(ids)s::bigint[], %(codes)s::text[], %(details)s::text[], %(pointers)s::text[])
  as given (id, code, detail, pointer)
join refused using (id)
