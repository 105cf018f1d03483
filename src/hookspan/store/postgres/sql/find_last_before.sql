-- The last position of an application up to a given one whose event's id is below another; 0 when none is. By halving:
-- events that were dropped leave gaps. One statement, since to plan a look into every partition takes longer than a
-- look. Leans on event_position.
with recursive halving (low, high) as (
  select 0::bigint, %(last)s::bigint
  union all
  select
    case when found.id < %(ident)s then least(found.position, %(last)s) else halving.low end,
    case when found.id < %(ident)s then halving.high else (halving.low + halving.high) / 2 end
  from halving
  left join lateral (
    select id, position from event
    where application_id = %(application_id)s and position > (halving.low + halving.high) / 2
    order by position
    limit 1
  ) found on true
  where halving.low < halving.high
)
select low from halving where low >= high limit 1
