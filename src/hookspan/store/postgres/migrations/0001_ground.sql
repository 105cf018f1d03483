-- expand
-- The ground: everything that this version keeps. Where SQLite has unique indexes on events and deliveries there are
-- plain ones here, for partitions are ranges of ids: the truth of (application_id, position) and of (webhook_id,
-- event_id, run) comes from the application's row lock, which every change takes first.

-- Facts about the database itself: numbers (the highest id that retention has dropped, the time that it obeyed last),
-- and bytes (the encryption check value).
create table fact (
  name text collate "C" primary key,
  value bigint,
  bytes bytea
);

-- An identity's numbers are never given twice, also where the transaction that took one was rolled back: a node's id is
-- half of the fence.
create table node (
  id bigint generated always as identity (cache 1) primary key,
  counter bigint not null,
  registered_at bigint not null,
  statistics_flush bigint not null default 0,
  delivers boolean not null default true
) with (fillfactor = 50);

create table application (
  id bigint primary key,
  public_id text collate "C" not null,
  name text not null,
  profile text not null,
  uuid text not null,
  settings text not null,
  metadata text not null,
  notify text,
  webhooks_version bigint not null,
  last_position bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  deleted_at bigint
) with (fillfactor = 50);

-- Partial, so that the name of a deleted application can be used again.
create unique index application_public on application (public_id) where deleted_at is null;
create index application_deleted on application (deleted_at) where deleted_at is not null;

-- sweep_reason: waiting deliveries are being cancelled for this reason; nothing of the webhook is claimed meanwhile.
-- noticed: the kind that was noticed last (1 failing, 2 stalled, 3 disabled), 0 while there is nothing that a recovery
-- would end. activated_at: when it was last switched on; the time before spends no window of what waited for it.
create table webhook (
  id bigint primary key,
  application_id bigint not null,
  name text,
  url text not null,
  status smallint not null,
  status_reason smallint,
  events text,
  delivery_order smallint not null,
  rate double precision,
  concurrency bigint not null,
  event_epoch text,
  credentials bytea not null,
  position bigint not null,
  version bigint not null,
  failing_since bigint,
  sweep_reason smallint,
  created_at bigint not null,
  updated_at bigint not null,
  also_sign text,
  noticed smallint not null default 0,
  noticed_at bigint,
  activated_at bigint
) with (fillfactor = 80);

create index webhook_application on webhook (application_id);
create index webhook_catching_up on webhook (id) where status = 2;
create index webhook_swept on webhook (id) where sweep_reason is not null;
create index webhook_deleted on webhook (id) where status = 4;
-- These hold exactly the webhooks whose condition may be another one than was noticed, so that looking for them costs
-- nothing while all is well.
create index webhook_failing on webhook (id)
where failing_since is not null and status <= 2 and noticed <> 2 and (noticed <> 1 or delivery_order = 2);
create index webhook_cut_off on webhook (id) where status = 3 and status_reason >= 3 and noticed <> 3;
-- Webhooks that fail, or were switched off because they did: for who looks after them. Empty while all is well.
create index webhook_in_trouble on webhook (application_id)
where failing_since is not null or (status = 3 and status_reason >= 3);
create index webhook_recovering on webhook (id) where noticed <> 0 and status <= 2 and failing_since is null;

create table webhook_revision (
  webhook_id bigint not null,
  version bigint not null,
  from_position bigint not null,
  status smallint not null,
  events text,
  url text not null,
  changed_at bigint not null,
  primary key (webhook_id, version)
);

create index webhook_revision_changed on webhook_revision (changed_at);

-- content is null where the body holds it verbatim from content_at on. context is JSON, kept as it came.
create table event (
  id bigint not null,
  application_id bigint not null,
  position bigint not null,
  type text collate "C" not null,
  publisher_id text collate "C",
  occurred_at bigint not null,
  accepted_at bigint not null,
  content bytea,
  content_at bigint not null,
  content_bytes bigint not null,
  context bytea,
  body bytea not null,
  primary key (id)
) partition by range (id);

create index event_position on event (application_id, position);
-- Events whose ids say another time than that of their acceptance: made after a clock that was ahead had been
-- corrected. 1704067200000: the epoch of ids. Empty while clocks are right.
create index event_displaced on event (application_id, accepted_at, position)
where abs((id >> 21) + 1704067200000 - accepted_at) > 60000;

create table publish_key (
  application_id bigint not null,
  publisher_id text collate "C" not null,
  event_id bigint not null,
  input_hash bytea not null,
  primary key (application_id, publisher_id)
);

-- They go when their events have gone, with whole partitions.
create index publish_key_event on publish_key (event_id);

-- state: 1 pending, 2 succeeded, 3 failed, 4 cancelled. node 0: nobody holds it. A claimed one with reason 14 (skipped)
-- is cancelled when it is given back unsent. stalled_at: when the webhook of a delivery stalled that took the stall
-- over from one that was cancelled or expired.
create table delivery (
  id bigint not null,
  application_id bigint not null,
  webhook_id bigint not null,
  event_id bigint not null,
  run bigint not null default 0,
  round bigint not null default 0,
  state smallint not null default 1,
  reason smallint,
  node bigint not null,
  claim bigint not null,
  is_fifo boolean not null,
  cause smallint not null default 1,
  attempt_count bigint not null default 0,
  round_attempts bigint not null default 0,
  round_started_at bigint,
  orphan_count bigint not null default 0,
  last_attempt_id bigint,
  last_response_status bigint,
  next_attempt_at bigint,
  finished_at bigint,
  is_aside boolean not null default false,
  job_id bigint,
  stalled_at bigint,
  primary key (id)
) partition by range (id);

-- A webhook's deliveries in the order of its events.
create index delivery_webhook on delivery (webhook_id, event_id, run);
-- An event's deliveries, in whatever partitions they are: without it each look would seek for every webhook in each.
create index delivery_event on delivery (event_id);
-- What waits, webhook by webhook, by time: claims skip from one webhook to the next. With event_id for retention.
create index delivery_due on delivery (webhook_id, next_attempt_at, event_id) where state = 1 and node = 0;
-- The same by the age of its event, for retention. What is claimed at birth never comes into it.
create index delivery_waiting on delivery (event_id) where state = 1 and node = 0;
-- With event_id, so that retention sees cheaply which events have something in flight.
create index delivery_claimed on delivery (node, webhook_id, event_id) where node <> 0;
create index delivery_fifo on delivery (webhook_id, id) where state = 1 and is_fifo;
-- What nodes have died over three times; `orphan_count >= 3` is the contract's ORPHANS_ALONE.
create index delivery_suspect on delivery (id) where state = 1 and orphan_count >= 3;
-- What has expired lately keeps its event for a day.
create index delivery_expired on delivery (finished_at, event_id) where state = 3 and reason = 2;
create index delivery_unhappy on delivery (webhook_id, event_id, run, state) where state >= 3;
create index delivery_aside on delivery (next_attempt_at) where state = 1 and node = 0 and is_aside;
create index delivery_job on delivery (job_id, state, attempt_count) where job_id is not null;

-- Attempts of one delivery are a chain from delivery.last_attempt_id through previous_attempt_id.
create table attempt (
  id bigint not null,
  delivery_id bigint,
  webhook_id bigint not null,
  event_id bigint,
  number bigint not null,
  round bigint not null,
  cause smallint not null,
  webhook_version bigint not null,
  started_at bigint not null,
  duration_us bigint not null,
  verdict smallint not null,
  retry_at bigint,
  error text,
  error_message text,
  remote_address text,
  request_headers bytea not null,
  response_status bigint,
  response_headers bytea,
  response_body bytea,
  response_bytes bigint not null,
  previous_attempt_id bigint,
  request_body bytea,
  primary key (id)
) partition by range (id);

create index attempt_webhook on attempt (webhook_id, id);
-- What tests have sent: it goes by its own age, all others with their deliveries.
create index attempt_test on attempt (id) where delivery_id is null;

-- Keys, people with their one-time links, sessions. Of tokens only digests are kept. application_id 0: the operator's.
create table access_key (
  id bigint primary key,
  scope smallint not null,
  application_id bigint not null,
  name text not null,
  role smallint not null,
  digest bytea not null,
  hint text not null,
  created_at bigint not null,
  last_used_at bigint
);

create unique index access_key_digest on access_key (digest);
create index access_key_application on access_key (scope, application_id);

create table person (
  id bigint primary key,
  application_id bigint not null,
  name text not null,
  role smallint not null,
  link_digest bytea,
  link_expires_at bigint,
  created_at bigint not null,
  last_seen_at bigint
);

create unique index person_link on person (link_digest) where link_digest is not null;
create index person_application on person (application_id);

create table session (
  id bigint primary key,
  kind smallint not null,
  person_id bigint not null,
  application_id bigint not null,
  role smallint,
  digest bytea not null,
  origin text,
  address text,
  created_at bigint not null,
  last_seen_at bigint,
  expires_at bigint not null,
  ends_at bigint not null
);

create unique index session_digest on session (digest);
create index session_application on session (application_id, kind);
create index session_person on session (person_id) where person_id <> 0;
create index session_of_people on session (id) where kind = 1;
create index session_expiry on session (expires_at);

-- The audit log. application_id 0 is the installation itself. Lines are never changed or taken out; see docs/audit.md.
create table audit (
  id bigint primary key,
  application_id bigint not null,
  sequence bigint not null,
  at bigint not null,
  application text collate "C",
  actor_kind text not null,
  actor_id text collate "C",
  actor_name text not null,
  role smallint not null,
  action text collate "C" not null,
  object_kind text not null,
  object_id text collate "C" not null,
  address text,
  request_id text,
  detail text not null,
  previous_hash bytea not null,
  hash bytea not null,
  by_operator boolean not null default true
);

create unique index audit_chain on audit (application_id, sequence);
create index audit_application on audit (application, id);

create function audit_is_kept() returns trigger language plpgsql as $$
begin
  raise exception 'lines of the audit log are never changed and never taken out';
end
$$;

create trigger audit_unchanged before update or delete on audit for each row execute function audit_is_kept();
create trigger audit_kept before truncate on audit for each statement execute function audit_is_kept();

-- The keys under which requests can be sent again. application_id 0 is the installation itself. state: 1 running, 2
-- done, 3 interrupted. is_publish: events under a key. node: who answers a running one; one of a node that is gone is
-- read as interrupted.
create table idempotency (
  id bigint generated always as identity (cache 1) primary key,
  application_id bigint not null,
  owner text collate "C" not null,
  key text collate "C" not null,
  is_publish boolean not null,
  began_at bigint not null,
  fingerprint bytea not null,
  state smallint not null,
  answer bytea,
  node bigint not null default 0
);

create unique index idempotency_key on idempotency (application_id, owner, key);
create index idempotency_room on idempotency (application_id, is_publish, began_at);
create index idempotency_began on idempotency (began_at);
create index idempotency_answered on idempotency (began_at) where answer is not null;

-- How many keys each application has, and the bytes of their answers. Kept by triggers, a statement at a time and in
-- the order of the rows, so that it is always right.
create table idempotency_tally (
  application_id bigint not null,
  is_publish boolean not null,
  keys bigint not null,
  bytes bigint not null,
  primary key (application_id, is_publish)
) with (fillfactor = 50);

create function idempotency_is_taken() returns trigger language plpgsql as $$
begin
  insert into idempotency_tally as tally (application_id, is_publish, keys, bytes)
  select application_id, is_publish, count(*), coalesce(sum(length(answer)), 0)
  from taken
  group by application_id, is_publish
  order by application_id, is_publish
  on conflict (application_id, is_publish) do update
  set keys = tally.keys + excluded.keys, bytes = tally.bytes + excluded.bytes;
  return null;
end
$$;

create function idempotency_is_finished() returns trigger language plpgsql as $$
begin
  insert into idempotency_tally as tally (application_id, is_publish, keys, bytes)
  select now.application_id, now.is_publish, 0, sum(coalesce(length(now.answer), 0) - coalesce(length(past.answer), 0))
  from now join past on past.id = now.id
  where length(now.answer) is distinct from length(past.answer)
  group by now.application_id, now.is_publish
  order by now.application_id, now.is_publish
  on conflict (application_id, is_publish) do update set bytes = tally.bytes + excluded.bytes;
  return null;
end
$$;

create function idempotency_is_dropped() returns trigger language plpgsql as $$
begin
  insert into idempotency_tally as tally (application_id, is_publish, keys, bytes)
  select application_id, is_publish, -count(*), -coalesce(sum(length(answer)), 0)
  from dropped
  group by application_id, is_publish
  order by application_id, is_publish
  on conflict (application_id, is_publish) do update
  set keys = tally.keys + excluded.keys, bytes = tally.bytes + excluded.bytes;
  delete from idempotency_tally as tally
  using (select distinct application_id, is_publish from dropped) as touched
  where
    tally.application_id = touched.application_id and tally.is_publish = touched.is_publish and tally.keys <= 0;
  return null;
end
$$;

create trigger idempotency_taken after insert on idempotency
referencing new table as taken for each statement execute function idempotency_is_taken();

create trigger idempotency_finished after update on idempotency
referencing old table as past new table as now for each statement execute function idempotency_is_finished();

create trigger idempotency_dropped after delete on idempotency
referencing old table as dropped for each statement execute function idempotency_is_dropped();

-- Jobs, and the events that they have yet to make into deliveries.
create table job (
  id bigint primary key,
  application_id bigint not null,
  webhook_id bigint not null,
  kind smallint not null,
  state smallint not null,
  input text not null,
  event_state smallint,
  is_missing boolean not null,
  rate double precision,
  feeds_at double precision not null,
  total bigint not null,
  unfed bigint not null,
  succeeded bigint not null default 0,
  failed bigint not null default 0,
  skipped bigint not null default 0,
  problem text,
  created_at bigint not null,
  started_at bigint,
  finished_at bigint
);

create index job_application on job (application_id);
create index job_webhook on job (webhook_id);
create index job_unfinished on job (application_id, state) where finished_at is null;
create index job_started on job (id) where finished_at is null and state > 1;
create index job_finished on job (finished_at) where finished_at is not null;

create table job_part (
  job_id bigint not null,
  number bigint not null,
  event_ids bytea not null,
  primary key (job_id, number)
);

-- What happened by the hour (of UTC, counted from 1970): of a webhook, of an application, and of all (subject_id 0).
-- latency: answered attempts by bucket of their duration, a JSON object.
create table statistic (
  subject_id bigint not null,
  hour bigint not null,
  events bigint not null,
  attempts bigint not null,
  attempts_succeeded bigint not null,
  deliveries_succeeded bigint not null,
  deliveries_failed bigint not null,
  latency text not null,
  primary key (subject_id, hour)
) with (fillfactor = 70);

create index statistic_hour on statistic (hour);

-- What an application's people are told of its webhooks. outcome: null while it is tried, 1 delivered, 2 given up, 3
-- there was no URL.
create table notice (
  id bigint primary key,
  application_id bigint not null,
  webhook_id bigint not null,
  kind smallint not null,
  body bytea not null,
  created_at bigint not null,
  attempts bigint not null,
  next_attempt_at bigint,
  finished_at bigint,
  outcome smallint,
  problem text
);

create index notice_application on notice (application_id);
create index notice_webhook on notice (webhook_id, kind);
create index notice_due on notice (next_attempt_at) where finished_at is null;
