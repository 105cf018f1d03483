-- The audit log, and the keys under which requests can be sent again.

-- application_id 0 is the installation itself. Lines are never changed or taken out; see docs/audit.md.
create table audit (
  id integer primary key,
  application_id integer not null,
  sequence integer not null,
  at integer not null,
  application text,
  actor_kind text not null,
  actor_id text,
  actor_name text not null,
  role integer not null,
  action text not null,
  object_kind text not null,
  object_id text not null,
  address text,
  request_id text,
  detail text not null,
  previous_hash blob not null,
  hash blob not null
) strict;

create unique index audit_chain on audit (application_id, sequence);
create index audit_application on audit (application, id);

create trigger audit_unchanged before update on audit
begin
  select raise(abort, 'lines of the audit log are never changed');
end;

create trigger audit_kept before delete on audit
begin
  select raise(abort, 'lines of the audit log are never taken out');
end;

-- state: 1 running, 2 done, 3 interrupted. number counts the keys of one owner.
create table idempotency (
  id integer primary key autoincrement,
  owner text not null,
  key text not null,
  number integer not null,
  began_at integer not null,
  fingerprint blob not null,
  state integer not null,
  answer blob
) strict;

create unique index idempotency_key on idempotency (owner, key);
create unique index idempotency_number on idempotency (owner, number);
create index idempotency_began on idempotency (began_at);
create index idempotency_answered on idempotency (began_at) where answer is not null;
create index idempotency_running on idempotency (state) where state = 1;
