-- Keeps a fact unless there is one.
insert or ignore into fact (name, value) values (?, ?)
