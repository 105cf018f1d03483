-- Lines of all chains, newest first, some bytes of them. Leans on the primary key; filters are walked past, up to a bound.
select
  id, application_id, sequence, at, application, actor_kind, actor_id, actor_name, role, action, object_kind, object_id,
  address, request_id, detail, previous_hash, hash, by_operator
from (
  select *, sum(char_length(detail)) over (order by id desc) - char_length(detail) as chars_before
  from (
    select * from audit
    where id >= %(low)s and id < %(high)s
    order by id desc
    limit %(walk)s
  ) as walked
  where at >= %(since)s and at < %(until)s
    and (%(action)s::text is null or action = %(action)s::text)
    and (
      %(actor_id)s::text is null
      or (actor_id = %(actor_id)s::text and (not %(own_actors)s::boolean or not by_operator))
    )
    and (%(object_id)s::text is null or object_id = %(object_id)s::text)
  order by id desc
  limit %(limit)s
) as found
where chars_before < %(chars_max)s
order by id desc
