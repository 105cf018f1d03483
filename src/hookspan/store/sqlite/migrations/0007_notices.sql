-- What an application's people are told of its webhooks. noticed: the kind that was noticed last (1 failing, 2 stalled,
-- 3 disabled), 0 while there is nothing that a recovery would end. The partial indexes hold exactly the webhooks whose
-- condition may be another one, so that looking for them costs nothing while all is well.
alter table webhook add column noticed integer not null default 0;
alter table webhook add column noticed_at integer;

create index webhook_failing on webhook (id)
where failing_since is not null and status <= 2 and noticed <> 2 and (noticed <> 1 or delivery_order = 2);
create index webhook_cut_off on webhook (id) where status = 3 and status_reason >= 3 and noticed <> 3;
create index webhook_recovering on webhook (id) where noticed <> 0 and status <= 2 and failing_since is null;

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
