"""The lease: until when a request may leave this node. Others send the same once they take it for dead."""

import math


class Lease:
    """Without end until it is renewed for the first time: where the store is this node's alone it never is."""

    __slots__ = ("_lent_until_ms", "_trusted_until_ms")

    def __init__(self) -> None:
        self._trusted_until_ms: float = math.inf
        self._lent_until_ms: float = math.inf

    def renew(self, trusted_until_ms: int, lent_until_ms: int) -> None:
        """Nobody can take this node for dead before `trusted_until_ms`: a request may leave that has met its deadline
        by then. One that may last longer leaves until `lent_until_ms`.
        """
        self._trusted_until_ms = trusted_until_ms
        self._lent_until_ms = lent_until_ms

    def covers(self, now_ms: int, timeout_ms: int) -> bool:
        """Whether a request that begins now may leave."""
        return now_ms + timeout_ms < self._trusted_until_ms or now_ms < self._lent_until_ms
