"""Is there a valid certificate behind a URL? One handshake, by the way that every send takes, and nothing told by it.

Who may save a URL could else read from the refusals what listens in a network that only this node reaches. So every
refusal has one text and comes after one duration, which the look-up of the name is part of; only success, which the
receiver's own certificate speaks for, and an address that the policy refuses anyhow, are answered at once.
"""

import asyncio
import contextlib
from functools import partial

from hookspan.clock import Clock
from hookspan.domain.outcome import ErrorCode
from hookspan.egress.connection import Connection
from hookspan.egress.dns import NameFailed
from hookspan.egress.job import Failure, Stage
from hookspan.egress.opening import Opener
from hookspan.egress.pool import Key, Pool
from hookspan.egress.target import Target
from hookspan.errors import BlockedDestination, InvalidCertificate, Overloaded

CHECKS_MAX = 64  # at a time: each may hold a socket for as long as a refusal takes
_NOBODY = 0  # no application has this id: the connection is never kept for one


class Handshake:
    """One check under way, as the opener sees it (job.Opening)."""

    __slots__ = ("application_id", "deadline", "stage", "target", "timeout_ms")

    def __init__(self, target: Target, timeout_s: float, started: float) -> None:
        self.target = target
        self.application_id = _NOBODY
        self.timeout_ms = int(timeout_s * 1000)
        self.deadline = started + timeout_s  # s, monotonic
        self.stage = Stage.RESOLVING

    @property
    def key(self) -> Key:
        return self.application_id, self.target.origin


class CertificateChecks:
    """All checks of one Egress. `refusal_s` is the deadline of a handshake, and how long every refusal takes."""

    def __init__(self, opener: Opener, pool: Pool, clock: Clock, refusal_s: float) -> None:
        self._opener = opener
        self._pool = pool
        self._clock = clock
        self._refusal_s = refusal_s
        self._running = 0
        self._openings: set[asyncio.Task[Connection]] = set()
        self._is_open = True

    async def check(self, target: Target) -> None:
        """Return at once when the handshake succeeds. Raises BlockedDestination (at once), InvalidCertificate (always
        after the same time), Overloaded (at once: too many checks run, no socket is left, or Hookspan stops).
        """
        if not self._is_open or self._running >= CHECKS_MAX or not self._pool.reserve((_NOBODY, target.origin)):
            raise Overloaded("Too many certificates are being checked now; send the request again.")
        handshake = Handshake(target, self._refusal_s, self._clock.monotonic())
        refusal = asyncio.create_task(self._wait_until(handshake.deadline))
        opening = asyncio.create_task(self._open(handshake))
        self._openings.add(opening)
        opening.add_done_callback(partial(self._ended, handshake.key))
        self._running += 1
        try:
            await asyncio.wait({opening, refusal}, return_when=asyncio.FIRST_COMPLETED)
            if opening.done() and self._is_good(opening):
                return
            await refusal
        finally:
            self._running -= 1
            refusal.cancel()
            opening.cancel()
        raise InvalidCertificate(
            f"No TLS connection with a valid certificate could be made to the URL's host within {self._refusal_s:g} s. "
            "(An authority of one's own is believed where the operator names it by HOOKSPAN_EGRESS_CA_FILE.)"
        )

    async def close(self) -> None:
        """End the handshakes that run; their callers get Overloaded."""
        self._is_open = False
        for opening in self._openings:
            opening.cancel()
        await asyncio.gather(*self._openings, return_exceptions=True)

    async def _open(self, handshake: Handshake) -> Connection:
        """Ask DNS anew, for what it said long ago opens nothing; and connect, which takes what it has just said."""
        with contextlib.suppress(NameFailed):  # found again at once, as what it is at a send
            await self._opener.allowed_addresses(handshake.target, is_asked_anew=True)
        return await self._opener.open(handshake)

    async def _wait_until(self, at: float) -> None:
        await self._clock.wait(asyncio.Event(), at - self._clock.monotonic())

    def _is_good(self, opening: asyncio.Task[Connection]) -> bool:
        if opening.cancelled():
            raise Overloaded("Hookspan is stopping; send the request again.")
        error = opening.exception()
        if isinstance(error, Failure) and error.code is ErrorCode.BLOCKED_DESTINATION:
            raise BlockedDestination(error.message)
        return error is None

    def _ended(self, key: Key, opening: asyncio.Task[Connection]) -> None:
        """The handshake is over, well or not, awaited or not: nothing of it stays open."""
        self._openings.discard(opening)
        error = None if opening.cancelled() else opening.exception()
        if opening.cancelled() or error is not None:
            self._pool.release(key)
            if error is not None and not isinstance(error, Failure):  # a fault of ours, made known
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "checking a certificate failed", "exception": error}
                )
            return
        connection = opening.result()
        if connection.is_closed:  # by the receiver, right after the handshake
            self._pool.release(key)
            connection.abort()
        else:
            self._pool.opened(connection)
            self._pool.close_one(connection)
