-- What happened by the hour (of UTC, counted from 1970): of a webhook, of an application, and of all (subject_id 0).
-- latency: answered attempts by bucket of their duration, a JSON object.
create table statistic (
  subject_id integer not null,
  hour integer not null,
  events integer not null,
  attempts integer not null,
  attempts_succeeded integer not null,
  deliveries_succeeded integer not null,
  deliveries_failed integer not null,
  latency text not null,
  primary key (subject_id, hour)
) strict, without rowid;

create index statistic_hour on statistic (hour);
