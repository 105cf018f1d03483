-- expand
-- Where the operator has stopped sending. scope: 1 everything, 2 a profile, 3 an application. ended_at: null while it is
-- in force; ended ones are kept for as long as rounds last. A program of the schema before goes on sending beside it.
create table pause (
  id bigint primary key,
  scope smallint not null,
  profile text,
  application_id bigint,
  reason text not null,
  paused_at bigint not null,
  ended_at bigint
);

create unique index pause_in_force on pause (scope, coalesce(profile, ''), coalesce(application_id, 0))
where ended_at is null;
create index pause_application on pause (application_id) where application_id is not null;

-- By which content of a profile (its hash) its deliveries are sent at this time. A node of another leaves them alone.
create table profile_in_force (
  name text primary key,
  hash text not null,
  since bigint not null
);

-- The profiles that each registered node has. A node of the schema before has none here.
create table node_profile (
  node bigint not null references node (id) on delete cascade,
  name text not null,
  hash text not null,
  primary key (node, name)
);
