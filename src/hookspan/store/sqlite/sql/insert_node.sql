-- Registers a node under an id that was never given before.
insert into node (counter, registered_at) values (0, ?) returning id
