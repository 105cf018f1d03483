-- Where the operator has stopped sending. scope: 1 everything, 2 a profile, 3 an application. ended_at: null while it is
-- in force; ended ones are kept for as long as rounds last.
create table pause (
  id integer primary key,
  scope integer not null,
  profile text,
  application_id integer,
  reason text not null,
  paused_at integer not null,
  ended_at integer
) strict;

create unique index pause_in_force on pause (scope, coalesce(profile, ''), coalesce(application_id, 0))
where ended_at is null;
create index pause_application on pause (application_id) where application_id is not null;

-- By which content of a profile (its hash) its deliveries are sent: that of the one node that there is.
create table profile_in_force (
  name text primary key,
  hash text not null,
  since integer not null
) strict;
