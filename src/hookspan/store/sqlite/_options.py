"""Every bound of the SQLite store, named."""

import msgspec

MIB = 1024 * 1024


class SqliteOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in items, bytes, pages and seconds. Tests set small ones to hit each bound."""

    # Writing. Beyond the first an intake call is Overloaded, beyond the second every call is, so that outcomes can
    # still be recorded while publishes are refused.
    intake_jobs_max: int = 2_048
    jobs_max: int = 4_096
    commit_time_max_s: float = 30.0  # a disk that hangs longer: callers get StoreUnavailable, in doubt
    busy_timeout_ms: int = 2_000  # another program looks into the file
    writer_cache_bytes: int = 32 * MIB

    # Reading.
    readers: int = 2
    reads_max: int = 256  # waiting or running
    read_time_max_s: float = 5.0  # waiting included; then the query is interrupted
    reader_cache_bytes: int = 4 * MIB

    # The write-ahead log. Passive checkpoints copy what no reader holds back; when readers keep it from starting over
    # it is restarted by force (they are bounded in time), and beyond the last mark intake stops.
    checkpoint_pages: int = 2_000  # more means fewer bytes written twice, and a longer pause for those who publish
    checkpoint_retry_s: float = 1.0
    wal_restart_bytes: int = 64 * MIB
    wal_max_bytes: int = 512 * MIB
    wal_kept_bytes: int = 32 * MIB  # the file is cut to this after it has started over
    restart_wait_ms: int = 100

    # Room on the disk. Intake stops first, then the ballast is given up so that outcomes can still be recorded.
    free_bytes_min: int = 32 * MIB
    ballast_bytes: int = 8 * MIB
    space_check_interval_s: float = 1.0

    # After an unclean end a small database is examined before it is used. A large one would keep the start from
    # being ready within 3 s, and SQLite's own recovery has run anyway.
    check_bytes_max: int = 64 * MIB

    # Deliveries cancelled in one transaction when a webhook is deleted or skips; the rest follows turn by turn.
    sweep_chunk: int = 2_000

    # Idempotency-Keys that one application can have within a day, and the bytes of the answers that are kept under
    # them: of management's requests, and of publishes. Beyond a number, or the publishes' bytes, no more are taken.
    keys_max: int = 100_000
    key_answers_bytes_max: int = 64 * MIB
    publish_keys_max: int = 1_000_000
    publish_key_answers_bytes_max: int = 256 * MIB

    # Retries brought forward in one transaction after a clock was set back.
    forward_chunk: int = 20_000
