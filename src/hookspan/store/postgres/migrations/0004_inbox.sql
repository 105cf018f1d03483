-- expand
-- The inbox: events that a platform publishes in SQL, inside its own transaction, by `hookspan.publish()`. A node takes
-- them from here into intake. See docs/decisions/0014-publishing-in-sql.md.

-- What waits, in the order of `id`, which is given before the commit. `application` is the public id as the platform
-- wrote it; content and context are JSON as it was written. `bytes`: about what it has as a published event.
-- Rows come and go: what was deleted lies before what waits, so it is cleared away soon.
create table inbox (
  id bigint generated always as identity (cache 1) primary key,
  application text collate "C" not null,
  type text not null,
  content text not null,
  publisher_id text,
  occurred_at bigint,
  context text,
  published_at bigint not null,
  published_by text not null,
  bytes bigint not null
) with (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 2000,
  toast.autovacuum_vacuum_scale_factor = 0,
  toast.autovacuum_vacuum_threshold = 2000
);

create index inbox_application on inbox (application, id);

-- Which node takes in for an application just now: one at a time, so that its events keep their order. Of a node that
-- is not in the table `node` it is nobody's.
create table inbox_hold (
  application text collate "C" primary key,
  node bigint not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- What was refused for good, and why. Kept for 30 days.
create table inbox_refused (
  id bigint primary key,
  application text collate "C" not null,
  type text not null,
  content text not null,
  publisher_id text,
  occurred_at bigint,
  context text,
  published_at bigint not null,
  published_by text not null,
  bytes bigint not null,
  refused_at bigint not null,
  code text not null,
  detail text not null,
  pointer text
);

create index inbox_refused_at on inbox_refused (refused_at, id);

-- The face of it has a schema of its own, whatever schema the tables are in, so that a platform's role needs no right
-- in that one. Where the tables' schema is called hookspan already, it is beside them.
do $do$
declare
  home text := (
    select nspname from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where pg_class.oid = to_regclass('inbox')
  );
begin
  if to_regnamespace('hookspan') is null then
    create schema hookspan;
  end if;

  -- The path is fixed and the table is named whole, so that nothing of the caller's comes in between. Its limits are
  -- those of POST /v1/applications/{app}/events. Everything else is checked when a node takes it in.
  execute format($create$
create function hookspan.publish(
  application text,
  type text,
  content json,
  publisher_id text default null,
  occurred_at timestamptz default null,
  context json default null
) returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $publish$
declare
  bytes_max constant bigint := 262144;
  envelope_bytes constant bigint := 128;
  type_characters_max constant bigint := 255;
  publisher_id_characters_max constant bigint := 256;
  size bigint;
  made bigint;
begin
  if $1 is null or $2 is null or $3 is null then
    raise exception using
      errcode = 'null_value_not_allowed',
      message = 'hookspan.publish: application, type and content must not be null. Nothing was published.';
  end if;
  if $1 !~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$' then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = 'hookspan.publish: application must be the id of an application: letters, digits, _ and -, at most 64.'
        || ' Nothing was published.';
  end if;
  if length($2) not between 1 and type_characters_max or $2 ~ '[[:cntrl:]]' then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = 'hookspan.publish: type must have 1 to ' || type_characters_max
        || ' characters, and no control characters. Nothing was published.';
  end if;
  if json_typeof($3) <> 'object' then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = 'hookspan.publish: content must be a JSON object, not ' || json_typeof($3) || '. Nothing was published.';
  end if;
  if length($4) not between 1 and publisher_id_characters_max then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = 'hookspan.publish: publisher_id must have 1 to ' || publisher_id_characters_max
        || ' characters. Nothing was published.';
  end if;
  if not isfinite($5) or $5 < '1970-01-01 00:00:00+00' or $5 >= '10000-01-01 00:00:00+00' then
    raise exception using
      errcode = 'datetime_field_overflow',
      message = 'hookspan.publish: occurred_at must be in a year from 1970 to 9999 (UTC). Nothing was published.';
  end if;
  size := envelope_bytes + octet_length($3::text) + octet_length(to_json($2)::text)
    + coalesce(octet_length($6::text), 0) + coalesce(octet_length(to_json($4)::text), 0);
  if size > bytes_max then
    raise exception using
      errcode = 'string_data_right_truncation',
      message = 'hookspan.publish: the event has about ' || size || ' bytes; it may have ' || bytes_max
        || '. Nothing was published.';
  end if;
  insert into %1$I.inbox
    (application, type, content, publisher_id, occurred_at, context, published_at, published_by, bytes)
  values (
    $1, $2, $3::text, $4, floor(extract(epoch from $5) * 1000)::bigint, $6::text,
    floor(extract(epoch from clock_timestamp()) * 1000)::bigint, session_user, size
  )
  returning id into strict made;
  return made;
end
$publish$
  $create$, home);
  revoke all on function hookspan.publish(text, text, json, text, timestamptz, json) from public;
  comment on function hookspan.publish(text, text, json, text, timestamptz, json) is
    'Publishes an event to an application of Hookspan, if and when this transaction commits. Returns its number.';

  execute format($create$
create view hookspan.refused as
select
  id,
  application,
  type,
  content::json as content,
  publisher_id,
  to_timestamp(occurred_at / 1000.0) as occurred_at,
  context::json as context,
  to_timestamp(published_at / 1000.0) as published_at,
  published_by,
  to_timestamp(refused_at / 1000.0) as refused_at,
  code,
  detail,
  pointer
from %1$I.inbox_refused
  $create$, home);
  comment on view hookspan.refused is 'Events of hookspan.publish() that were refused for good, and why.';
end
$do$;
