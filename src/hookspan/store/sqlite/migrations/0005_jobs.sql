-- Jobs, the events that they have yet to make into deliveries, and the mark of those on their deliveries.
create table job (
  id integer primary key,
  application_id integer not null,
  webhook_id integer not null,
  kind integer not null,
  state integer not null,
  input text not null,
  event_state integer,
  is_missing integer not null,
  rate real,
  feeds_at real not null,
  total integer not null,
  unfed integer not null,
  succeeded integer not null default 0,
  failed integer not null default 0,
  skipped integer not null default 0,
  problem text,
  created_at integer not null,
  started_at integer,
  finished_at integer
) strict;

create index job_application on job (application_id);
create index job_webhook on job (webhook_id);
create index job_unfinished on job (application_id, state) where finished_at is null;
create index job_started on job (id) where finished_at is null and state > 1;
create index job_finished on job (finished_at) where finished_at is not null;

create table job_part (
  job_id integer not null,
  number integer not null,
  event_ids blob not null,
  primary key (job_id, number)
) strict, without rowid;

alter table delivery add column job_id integer;
create index delivery_job on delivery (job_id, state, attempt_count) where job_id is not null;
