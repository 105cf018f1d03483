-- Claims deliveries for a node; the claim number only grows. Leans on the primary key.
update delivery set node = ?1, claim = claim + 1 where id in (select value from json_each(?2))
