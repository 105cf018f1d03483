-- Pauses that ended before a time: no round that goes on began before. Walks the small table.
delete from pause where ended_at < %(before)s
