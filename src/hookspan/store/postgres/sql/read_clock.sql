-- The server's time, in ms since 1970.
select (extract(epoch from clock_timestamp()) * 1000)::bigint
