-- As on PostgreSQL: an application that is being moved to another database is frozen, and its webhooks say so too.
alter table application add column frozen_at integer;
alter table webhook add column is_frozen integer not null default 0;
