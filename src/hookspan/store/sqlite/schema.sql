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
  registered_at integer not null
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
  deleted_at integer
) strict;

-- Partial, so that the name of a deleted application can be used again.
create unique index application_public on application (public_id) where deleted_at is null;
create index application_deleted on application (deleted_at) where deleted_at is not null;

-- sweep_reason: waiting deliveries are being cancelled for this reason; nothing of the webhook is claimed meanwhile.
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
  also_sign text
) strict;

create index webhook_application on webhook (application_id);
create index webhook_catching_up on webhook (id) where status = 2;
create index webhook_swept on webhook (id) where sweep_reason is not null;
create index webhook_deleted on webhook (id) where status = 4;

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

create table publish_key (
  application_id integer not null,
  publisher_id text not null,
  event_id integer not null,
  input_hash blob not null,
  primary key (application_id, publisher_id)
) strict, without rowid;

-- state: 1 pending, 2 succeeded, 3 failed, 4 cancelled. node 0: nobody holds it. A claimed one with reason 14 (skipped)
-- is cancelled when it is given back unsent. A pending one that nobody holds and that has no next_attempt_at is stalled.
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
  is_aside integer not null default 0
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
