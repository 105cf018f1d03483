"""One application moved from one database to another while nodes serve both. See `hookspan.store.postgres._moving`.

Told by the same steps as a copy (`hookspan.store.copying`), and of its tables.
"""

from typing import Final

import msgspec

__all__ = ["BULK", "FRAME", "MoveLimits", "Moved"]

# Copied while the source serves, part by part, and made equal once more when nothing changes any more. In this order,
# so that retention of the target finds nothing that seems to belong to nobody.
BULK: Final = ("event", "publish_key", "delivery", "attempt")
# Copied at the end in one transaction, with which the target begins to serve. The application itself comes last.
FRAME: Final = (
    "webhook_revision",
    "access_key",
    "person",
    "session",
    "audit",
    "idempotency",
    "job",
    "job_part",
    "statistic",
    "notice",
    "pause",
    "webhook",
    "application",
)


class MoveLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Every bound of a move, named."""

    # So many looks are taken while the source serves; no more when one has brought fewer rows than these.
    passes_max: int = 5
    rows_left_max: int = 2_000
    # Rows in one transaction of the target, about: neighbouring parts that differ are brought together.
    chunk_rows: int = 20_000
    # How long what is in flight is waited for while the application is frozen; then the move is given up.
    drain_time_max_s: float = 90.0
    drain_interval_s: float = 0.05
    # Looks at a frozen application until both sides are equal: retention may drop old events meanwhile.
    final_looks_max: int = 4


class Moved(msgspec.Struct, frozen=True):
    """What a move has brought, or would bring: rows by table, as they are at the end. `frozen_ms`: for how long the
    application was served by nobody, as far as this run knows. `rows_copied` of this run, some of them again.
    """

    rows: dict[str, int]
    rows_copied: int = 0
    frozen_ms: int = 0
