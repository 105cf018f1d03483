-- expand
-- An application that is being moved to another database is frozen: nothing is taken in for it, claimed or changed. Its
-- webhooks say so too, so that a claim, which looks at them anyhow, need not look further.
alter table application add column frozen_at bigint;
alter table webhook add column is_frozen boolean not null default false;
