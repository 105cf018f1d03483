-- Idempotency-Keys belong to an application, and go with it; their number and their answers are bounded for each. Keys
-- that were taken before are forgotten: nobody kept to which application they belong.
drop table idempotency;

-- application_id 0 is the installation itself. state: 1 running, 2 done, 3 interrupted. is_publish: events under a key.
create table idempotency (
  id integer primary key autoincrement,
  application_id integer not null,
  owner text not null,
  key text not null,
  is_publish integer not null,
  began_at integer not null,
  fingerprint blob not null,
  state integer not null,
  answer blob
) strict;

create unique index idempotency_key on idempotency (application_id, owner, key);
create index idempotency_room on idempotency (application_id, is_publish, began_at);
create index idempotency_began on idempotency (began_at);
create index idempotency_answered on idempotency (began_at) where answer is not null;
create index idempotency_running on idempotency (state) where state = 1;

-- How many keys each application has, and the bytes of their answers. Kept by the triggers, so that it is always right.
create table idempotency_tally (
  application_id integer not null,
  is_publish integer not null,
  keys integer not null,
  bytes integer not null,
  primary key (application_id, is_publish)
) strict, without rowid;

create trigger idempotency_taken after insert on idempotency
begin
  insert into idempotency_tally (application_id, is_publish, keys, bytes)
  values (new.application_id, new.is_publish, 1, coalesce(length(new.answer), 0))
  on conflict do update set keys = keys + 1, bytes = bytes + excluded.bytes;
end;

create trigger idempotency_finished after update of answer on idempotency
begin
  update idempotency_tally set bytes = bytes + coalesce(length(new.answer), 0) - coalesce(length(old.answer), 0)
  where application_id = new.application_id and is_publish = new.is_publish;
end;

create trigger idempotency_dropped after delete on idempotency
begin
  update idempotency_tally set keys = keys - 1, bytes = bytes - coalesce(length(old.answer), 0)
  where application_id = old.application_id and is_publish = old.is_publish;
  delete from idempotency_tally
  where application_id = old.application_id and is_publish = old.is_publish and keys <= 0;
end;

-- Whether one of the operator's did it: an application's own people don't see who. What was kept before says no more.
alter table audit add column by_operator integer not null default 1;
