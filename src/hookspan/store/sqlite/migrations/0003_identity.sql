-- Keys, people with their one-time links, sessions. Of tokens only digests are kept. application_id 0: the operator's.

create table access_key (
  id integer primary key,
  scope integer not null,
  application_id integer not null,
  name text not null,
  role integer not null,
  digest blob not null,
  hint text not null,
  created_at integer not null,
  last_used_at integer
) strict;

create unique index access_key_digest on access_key (digest);
create index access_key_application on access_key (scope, application_id);

create table person (
  id integer primary key,
  application_id integer not null,
  name text not null,
  role integer not null,
  link_digest blob,
  link_expires_at integer,
  created_at integer not null,
  last_seen_at integer
) strict;

create unique index person_link on person (link_digest) where link_digest is not null;
create index person_application on person (application_id);

create table session (
  id integer primary key,
  kind integer not null,
  person_id integer not null,
  application_id integer not null,
  role integer,
  digest blob not null,
  origin text,
  address text,
  created_at integer not null,
  last_seen_at integer,
  expires_at integer not null,
  ends_at integer not null
) strict;

create unique index session_digest on session (digest);
create index session_application on session (application_id, kind);
create index session_person on session (person_id) where person_id <> 0;
create index session_of_people on session (id) where kind = 1;
create index session_expiry on session (expires_at);
