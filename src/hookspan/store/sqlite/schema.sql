-- The whole schema as the migrations make it; a test keeps the two equal. For reading: only migrations are run.

-- Facts about the database itself: the encryption check value, the highest id that retention has dropped, the time
-- that it obeyed last, and whether the last process closed it in order.
create table fact (
  name text primary key,
  value any
) strict, without rowid;

-- autoincrement: a node's id is never given twice, for it is half of the fence.
create table node (
  id integer primary key autoincrement,
  counter integer not null,
  registered_at integer not null,
  statistics_flush integer not null default 0
) strict;

create table application (
  id integer primary key,
  public_id text not null,
  name text not null,
  profile text not null,
  uuid text not null,
  settings text not null,
  metadata text not null,
  notify text,
  webhooks_version integer not null,
  last_position integer not null,
  created_at integer not null,
  updated_at integer not null,
  deleted_at integer,
  frozen_at integer
) strict;

-- Partial, so that the name of a deleted application can be used again.
create unique index application_public on application (public_id) where deleted_at is null;
create index application_deleted on application (deleted_at) where deleted_at is not null;

-- sweep_reason: waiting deliveries are being cancelled for this reason; nothing of the webhook is claimed meanwhile.
-- activated_at: the last way back to active began; retry windows from before begin anew.
create table webhook (
  id integer primary key,
  application_id integer not null,
  name text,
  url text not null,
  status integer not null,
  status_reason integer,
  events text,
  delivery_order integer not null,
  rate real,
  concurrency integer not null,
  event_epoch text,
  credentials blob not null,
  position integer not null,
  version integer not null,
  failing_since integer,
  sweep_reason integer,
  created_at integer not null,
  updated_at integer not null,
  also_sign text,
  noticed integer not null default 0,
  noticed_at integer,
  activated_at integer,
  is_frozen integer not null default 0
) strict;

create index webhook_application on webhook (application_id);
create index webhook_catching_up on webhook (id) where status = 2;
create index webhook_swept on webhook (id) where sweep_reason is not null;
create index webhook_deleted on webhook (id) where status = 4;
-- Exactly the webhooks whose condition may be another than the one that was noticed (1 failing, 2 stalled, 3 disabled;
-- 0 while there is nothing that a recovery would end), so that looking for them costs nothing while all is well.
create index webhook_failing on webhook (id)
where failing_since is not null and status <= 2 and noticed <> 2 and (noticed <> 1 or delivery_order = 2);
create index webhook_cut_off on webhook (id) where status = 3 and status_reason >= 3 and noticed <> 3;
create index webhook_recovering on webhook (id) where noticed <> 0 and status <= 2 and failing_since is null;
-- Webhooks that fail, or were switched off because they did: for who looks after them. Empty while all is well.
create index webhook_in_trouble on webhook (application_id)
where failing_since is not null or (status = 3 and status_reason >= 3);

create table webhook_revision (
  webhook_id integer not null,
  version integer not null,
  from_position integer not null,
  status integer not null,
  events text,
  url text not null,
  changed_at integer not null,
  primary key (webhook_id, version)
) strict, without rowid;

create index webhook_revision_changed on webhook_revision (changed_at);

-- content is null where the body holds it verbatim from content_at on.
create table event (
  id integer primary key,
  application_id integer not null,
  position integer not null,
  type text not null,
  publisher_id text,
  occurred_at integer not null,
  accepted_at integer not null,
  content blob,
  content_at integer not null,
  content_bytes integer not null,
  context blob,
  body blob not null
) strict;

create unique index event_position on event (application_id, position);
-- Events whose ids say another time than that of their acceptance: made after a clock that was ahead had been corrected.
-- 1704067200000: the epoch of ids. Empty while clocks are right.
create index event_displaced on event (application_id, accepted_at, position)
where abs((id >> 21) + 1704067200000 - accepted_at) > 60000;

create table publish_key (
  application_id integer not null,
  publisher_id text not null,
  event_id integer not null,
  input_hash blob not null,
  primary key (application_id, publisher_id)
) strict, without rowid;

-- state: 1 pending, 2 succeeded, 3 failed, 4 cancelled. node 0: nobody holds it. A claimed one with a reason is
-- cancelled for it when it is given back unsent. A pending one that nobody holds and that has no next_attempt_at is stalled.
-- stalled_at: since when its webhook is, where it took the stall over from one before it.
create table delivery (
  id integer primary key,
  application_id integer not null,
  webhook_id integer not null,
  event_id integer not null,
  run integer not null default 0,
  round integer not null default 0,
  state integer not null default 1,
  reason integer,
  node integer not null,
  claim integer not null,
  is_fifo integer not null,
  cause integer not null default 1,
  attempt_count integer not null default 0,
  round_attempts integer not null default 0,
  round_started_at integer,
  orphan_count integer not null default 0,
  last_attempt_id integer,
  last_response_status integer,
  next_attempt_at integer,
  finished_at integer,
  is_aside integer not null default 0,
  job_id integer,
  stalled_at integer
) strict;

-- One original of an event for a webhook; also a webhook's deliveries in the order of its events.
create unique index delivery_webhook on delivery (webhook_id, event_id, run);
-- What waits, webhook by webhook, by time: claims skip from one webhook to the next. With event_id for retention.
create index delivery_due on delivery (webhook_id, next_attempt_at, event_id) where state = 1 and node = 0;
-- With event_id, so that retention sees cheaply which events have something in flight.
create index delivery_claimed on delivery (node, webhook_id, event_id) where node <> 0;
-- What a person sends aside of its webhook's queue: whatever the webhook's status and order.
create index delivery_aside on delivery (next_attempt_at) where state = 1 and node = 0 and is_aside = 1;
create index delivery_fifo on delivery (webhook_id) where state = 1 and is_fifo = 1;
-- What nodes have died over three times; `orphan_count >= 3` is the contract's ORPHANS_ALONE.
create index delivery_suspect on delivery (id) where state = 1 and orphan_count >= 3;
-- What a job has made, by what became of it; of what waits, that which was never tried comes first.
create index delivery_job on delivery (job_id, state, attempt_count) where job_id is not null;
create index delivery_unhappy on delivery (webhook_id, event_id, run, state) where state >= 3;

-- Outcomes are written by an upsert that must always meet its delivery; see sql/update_deliveries.sql.
create trigger delivery_gone after insert on delivery when new.webhook_id = 0
begin
  select raise(abort, 'there is no such delivery');
end;

-- Attempts of one delivery are a chain from delivery.last_attempt_id through previous_attempt_id.
create table attempt (
  id integer primary key,
  delivery_id integer,
  webhook_id integer not null,
  event_id integer,
  number integer not null,
  round integer not null,
  cause integer not null,
  webhook_version integer not null,
  started_at integer not null,
  duration_us integer not null,
  verdict integer not null,
  retry_at integer,
  error text,
  error_message text,
  remote_address text,
  request_headers blob not null,
  response_status integer,
  response_headers blob,
  response_body blob,
  response_bytes integer not null,
  previous_attempt_id integer,
  request_body blob
) strict;

create index attempt_webhook on attempt (webhook_id);

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
  hash blob not null, by_operator integer not null default 1) strict;

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

-- Jobs. state: 1 queued, 2 running, 3 succeeded, 4 failed, 5 cancelled; the counts are of what ended and is no more, and
-- of all that ended where finished_at is set. What else ended is counted in delivery_job. feeds_at: ms, its rate's next.

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

-- Events that jobs have yet to make into deliveries, in order: 8 bytes each, big-endian.
create table job_part (
  job_id integer not null,
  number integer not null,
  event_ids blob not null,
  primary key (job_id, number)
) strict, without rowid;

-- What an application's people are told of its webhooks.
-- outcome: null while it is tried, 1 delivered, 2 given up, 3 there was no URL.
create table notice (
  id integer primary key,
  application_id integer not null,
  webhook_id integer not null,
  kind integer not null,
  body blob not null,
  created_at integer not null,
  attempts integer not null,
  next_attempt_at integer,
  finished_at integer,
  outcome integer,
  problem text
) strict;

create index notice_application on notice (application_id);
create index notice_webhook on notice (webhook_id, kind);
create index notice_due on notice (next_attempt_at) where finished_at is null;

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
