-- Pauses that ended before a time, for no round that goes on began before; and those of the same scope that ended before
-- the one of this id, for it is the last that counts. Walks the small table.
delete from pause
where
  ended_at < %(before)s
  or (
    ended_at <= %(ended_at)s and id <> %(id)s and scope = %(scope)s
    and coalesce(profile, '') = coalesce(%(profile)s::text, '')
    and coalesce(application_id, 0) = coalesce(%(application_id)s::bigint, 0)
  )
