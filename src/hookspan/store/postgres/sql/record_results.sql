-- Writes what attempts mean, where the claim still holds: (node, claim) is the fence; and keeps the attempts of those.
-- One row of [delivery id, claim] for each that held. A result without an attempt leaves what is known of the last one.
-- The ids are named twice: as a list they keep partitions out. Leans on the primary key; for coalesce() see
-- take_deliveries.
with given as materialized (
  select *
  from unnest(
    %(ids)s::bigint[], %(claims)s::bigint[], %(states)s::smallint[], %(reasons)s::smallint[],
    %(next_attempt_ats)s::bigint[], %(attempt_counts)s::bigint[], %(round_attempts)s::bigint[],
    %(round_started_ats)s::bigint[], %(finished_ats)s::bigint[], %(attempt_ids)s::bigint[],
    %(response_statuses)s::bigint[]
  ) as given (
    id, claim, state, reason, next_attempt_at, attempt_count, round_attempts, round_started_at, finished_at,
    attempt_id, response_status
  )
),
written as (
  update delivery
  set
    state = given.state,
    reason = given.reason,
    node = 0,
    next_attempt_at = given.next_attempt_at,
    attempt_count = given.attempt_count,
    round_attempts = given.round_attempts,
    round_started_at = given.round_started_at,
    finished_at = given.finished_at,
    cause = case when given.attempt_id is null then delivery.cause else 2 end,
    orphan_count = case when given.attempt_id is null then delivery.orphan_count else 0 end,
    last_attempt_id = coalesce(given.attempt_id, delivery.last_attempt_id),
    last_response_status =
      case when given.attempt_id is null then delivery.last_response_status else given.response_status end
  from given
  where
    delivery.id = given.id
    and delivery.claim = given.claim
    and coalesce(delivery.node = %(node)s and delivery.state = 1, false)
    and delivery.id = any(%(ids)s::bigint[])
  returning delivery.id, delivery.claim
),
kept as (
  insert into attempt (
    id, delivery_id, webhook_id, event_id, number, round, cause, webhook_version, started_at, duration_us, verdict,
    retry_at, error, error_message, remote_address, request_headers, response_status, response_headers, response_body,
    response_bytes, previous_attempt_id
  )
  select
    made.id, made.delivery_id, made.webhook_id, made.event_id, made.number, made.round, made.cause,
    made.webhook_version, made.started_at, made.duration_us, made.verdict, made.retry_at, made.error,
    made.error_message, made.remote_address, made.request_headers, made.response_status, made.response_headers,
    made.response_body, made.response_bytes, made.previous_attempt_id
  from unnest(
    %(of_ids)s::bigint[], %(of_claims)s::bigint[],
    %(made_ids)s::bigint[], %(made_delivery_ids)s::bigint[], %(made_webhook_ids)s::bigint[],
    %(made_event_ids)s::bigint[], %(made_numbers)s::bigint[], %(made_rounds)s::bigint[], %(made_causes)s::smallint[],
    %(made_webhook_versions)s::bigint[], %(made_started_ats)s::bigint[], %(made_durations_us)s::bigint[],
    %(made_verdicts)s::smallint[], %(made_retry_ats)s::bigint[], %(made_errors)s::text[],
    %(made_error_messages)s::text[], %(made_remote_addresses)s::text[], %(made_request_headers)s::bytea[],
    %(made_response_statuses)s::bigint[], %(made_response_headers)s::bytea[], %(made_response_bodies)s::bytea[],
    %(made_response_bytes)s::bigint[], %(made_previous_attempt_ids)s::bigint[]
  ) as made (
    of_id, of_claim, id, delivery_id, webhook_id, event_id, number, round, cause, webhook_version, started_at,
    duration_us, verdict, retry_at, error, error_message, remote_address, request_headers, response_status,
    response_headers, response_body, response_bytes, previous_attempt_id
  )
  join written on written.id = made.of_id and written.claim = made.of_claim
)
select id, claim from written
