-- The table by which a database of ours is known: one row, its schema's number and the oldest whose programs can use
-- it.
create table hookspan (
  is_one boolean primary key default true check (is_one),
  version bigint not null,
  works_since bigint not null
)
