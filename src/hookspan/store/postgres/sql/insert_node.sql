-- Registers a node.
insert into node (id, counter, registered_at, delivers, trust_window) overriding system value
values (%(id)s, 0, %(now)s, %(delivers)s, %(trust_window)s)
