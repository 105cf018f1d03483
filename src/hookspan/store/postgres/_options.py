"""Every bound of the PostgreSQL store, named."""

import msgspec

MIB = 1024 * 1024


class PostgresOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in items, bytes and seconds. Tests set small ones to hit each bound."""

    # Which of the databases whose ids never meet (hookspan.ids.CELLS). A database keeps its number.
    cell: int = 0

    # Connections of one node, each with a thread of its own. Further ones for its heartbeat are not counted here.
    writers: int = 4
    readers: int = 4

    # Beyond the first an intake call is Overloaded, beyond the second every writing call is, so that outcomes can still
    # be recorded while publishes are refused.
    intake_jobs_max: int = 2_048
    jobs_max: int = 4_096
    reads_max: int = 256

    # How long a call may take, waiting included. Then its connection is cut: what was being committed is in doubt.
    write_time_max_s: float = 15.0
    read_time_max_s: float = 5.0
    beat_time_max_s: float = 5.0
    connect_time_max_s: float = 5.0
    reconnect_interval_s: float = 0.5
    lock_time_max_s: float = 5.0  # behind another transaction
    reruns_max: int = 5  # of a transaction that met a deadlock, or missed a partition

    # What the server ends by itself, so that nothing of a host that has vanished holds locks.
    idle_in_transaction_time_max_s: float = 5.0
    network_time_max_s: float = 10.0  # unacknowledged bytes, and keepalives

    # Rings to other nodes within so long become one. Through a pooler nobody hears them, unless `listen_url` leads to
    # the server itself.
    ring_interval_s: float = 0.02
    listen_url: str | None = None
    # A standby that lists may be read from, while it is at most so far behind.
    replica_url: str | None = None
    replica_lag_max_s: float = 5.0
    replica_retry_interval_s: float = 5.0

    # Through PgBouncer in transaction mode: settings go with each transaction instead of with the connection.
    is_pooled: bool = False
    # Statements are prepared by the server after so many runs; None: never. A pooler must be able to carry them.
    prepare_after: int | None = None

    # Partitions of events, deliveries and attempts: made so many days ahead, waiting so long at most for those who use
    # the table. A wait of theirs behind ours is as long.
    partitions_ahead_days: int = 3
    partition_lock_time_max_s: float = 1.0
    # A day with so many events is dropped as a whole, up to a day later than the first of them; one with fewer by rows.
    whole_events_min: int = 100_000
    migration_lock_time_max_s: float = 5.0
    migration_time_max_s: float = 300.0

    # Deliveries cancelled in one transaction when a webhook is deleted or skips; the rest follows turn by turn.
    sweep_chunk: int = 2_000
    # Claims freed, and retries brought forward, in one transaction.
    free_chunk: int = 5_000
    forward_chunk: int = 20_000

    # Idempotency-Keys that one application can have within a day, and the bytes of the answers that are kept under
    # them: of management's requests, and of publishes. Beyond a number, or the publishes' bytes, no more are taken.
    keys_max: int = 100_000
    key_answers_bytes_max: int = 64 * MIB
    publish_keys_max: int = 1_000_000
    publish_key_answers_bytes_max: int = 256 * MIB
