"""The one way out: every request of Hookspan goes through `Egress.send`."""

import asyncio
import re
from collections.abc import Callable
from functools import partial

from hookspan.clock import Clock
from hookspan.domain.outcome import ErrorCode, Outcome, Owner
from hookspan.egress.address import AddressPolicy
from hookspan.egress.certificate import CertificateChecks
from hookspan.egress.connection import Connection
from hookspan.egress.dns import CaresNames, NameFailed, NameService, Resolver
from hookspan.egress.job import BLOCKED_MESSAGE, Failure, Job, Stage
from hookspan.egress.opening import Opener
from hookspan.egress.pool import Pool
from hookspan.egress.proxy import read_proxy
from hookspan.egress.settings import EgressSettings
from hookspan.egress.target import Target, make_target
from hookspan.egress.tls import make_context
from hookspan.egress.waiting import Waiting
from hookspan.errors import BlockedDestination

SWEEP_S = 0.1  # deadlines are kept to this
CLOSE_S = 1.0

# Names are tokens (RFC 9110, 5.6.2); values hold anything but CR, LF and NUL.
_HEADER_LINES = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\r\n\0]*\r\n)*")
# To whoever saves a webhook: which address it was stays unsaid.
_BLOCKED_AT_SAVE = f"{BLOCKED_MESSAGE} An operator may open networks by HOOKSPAN_EGRESS_ALLOW."


class Egress:
    """Sends requests, keeps connections, refuses addresses. `names` replaces the system's DNS in tests.

    Raises ConfigurationError for settings that can't be read.
    """

    def __init__(self, settings: EgressSettings, clock: Clock, *, names: NameService | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._names = names
        self._policy = AddressPolicy(settings.allow, settings.refuse, settings.own)
        self._tls = make_context(settings.ca_file)
        self._proxy = read_proxy(settings.proxy) if settings.proxy is not None else None
        self._pool = Pool(settings.sockets_max)
        self._waiting = Waiting()
        self._flying: set[Job] = set()
        self._tasks: set[asyncio.Task[Connection]] = set()
        self._is_open = False

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._resolver = Resolver(self._names or CaresNames(), self._clock)
        self._opener = Opener(self._policy, self._resolver, self._tls, self._clock, self, self._proxy)
        self._certificates = CertificateChecks(
            self._opener, self._pool, self._clock, self._settings.certificate_refusal_s
        )
        self._is_open = True
        self._timer = self._loop.call_later(SWEEP_S, self._sweep)

    async def close(self) -> None:
        """Fail what is in flight (SHUTDOWN, ours) and close every connection. Idempotent."""
        if not self._is_open:
            return
        self._is_open = False
        self._timer.cancel()
        for job in list(self._flying):
            self._give_up(job, Failure(ErrorCode.SHUTDOWN, "Hookspan stopped before a response came.", Owner.US))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._certificates.close()
        await self._pool.close(CLOSE_S)
        await self._resolver.close()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where requests come from, as the operator says."""
        return self._settings.addresses

    @property
    def in_flight(self) -> int:
        return len(self._flying)

    @property
    def sockets(self) -> int:
        """Connections opening, busy and idle."""
        return self._pool.sockets

    def target(self, url: str, *, https_required: bool) -> Target:
        """Read a webhook URL. Raises InvalidUrl, HttpsRequired, and BlockedDestination for a literal address."""
        target = make_target(url, self._settings, https_required=https_required)
        if target.address is not None and not self._policy.allows(target.address, target.port):
            raise BlockedDestination(_BLOCKED_AT_SAVE)
        return target

    async def check_destination(self, target: Target) -> None:
        """Resolve the name now and apply the address policy. Raises BlockedDestination.

        A name that does not resolve is accepted: receivers are often created before their DNS.
        """
        try:
            await self._opener.allowed_addresses(target, is_asked_anew=True)
        except NameFailed:
            return
        except Failure as failure:
            is_plain = failure.message == BLOCKED_MESSAGE
            raise BlockedDestination(_BLOCKED_AT_SAVE if is_plain else failure.message) from None

    async def check_certificate(self, target: Target) -> None:
        """One TLS handshake with the target, over the way that a send would take: same policy, DNS, proxy and CAs.

        Returns at once when it succeeds, and for an http target, which has no certificate. Raises BlockedDestination at
        once; InvalidCertificate for all else, with one text and after one time (EgressSettings.certificate_refusal_s),
        whatever was or was not there; Overloaded when too many checks run or Hookspan stops.
        """
        if not target.is_tls:
            return
        try:
            await self._certificates.check(target)
        except BlockedDestination:
            raise BlockedDestination(_BLOCKED_AT_SAVE) from None

    def send(
        self,
        target: Target,
        headers: bytes,
        body: bytes,
        *,
        application_id: int,
        timeout_ms: int,
        done: Callable[[Outcome], None],
        may_resend: bool = True,
    ) -> None:
        """POST `body` to the target; `done` gets the outcome exactly once, on the loop, after `send` has returned.

        `headers` are whole lines, content-type among them; host, user-agent, accept-encoding and content-length are
        written here. Raises ValueError when they are not header lines: a caller let CR, LF or NUL through.
        `may_resend` False turns off the silent second try on a new connection when a kept one turns out dead.
        """
        if _HEADER_LINES.fullmatch(headers) is None:
            raise ValueError("not header lines, or CR, LF or NUL in a header's name or value")
        clock = self._clock
        job = Job(
            target,
            b"%b%bcontent-length: %d\r\n\r\n%b" % (target.prefix, headers, len(body), body),
            application_id,
            timeout_ms,
            done,
            clock.now_ms(),
            clock.monotonic(),
            may_resend=may_resend,
        )
        self._flying.add(job)
        key = (application_id, target.origin)
        connection = self._pool.take(key)
        if connection is not None:
            connection.send(job)
        elif not self._is_open or self._pool.has_share_left(key) or not self._waiting.suits(key, job.started):
            self._open(job)  # once closed nobody would wake what waits
        else:
            self._waiting.add(key, job)

    def abandon(self, done: Callable[[Outcome], None]) -> None:
        """Nobody waits any more for the outcome that this `done` gets: end its request, if it is in flight, with that
        as the outcome, now.
        """
        failure = Failure(ErrorCode.SHUTDOWN, "Whoever asked for it left before a response came.", Owner.US)
        for job in [job for job in self._flying if job.done is done]:
            self._give_up(job, failure)

    # --- new connections

    def _open(self, job: Job) -> None:
        if not self._is_open:
            failure = Failure(ErrorCode.SHUTDOWN, "Hookspan is stopping.", Owner.US)
            self._loop.call_soon(self._end, job, failure, None)
        elif not self._pool.reserve(job.key):
            failure = Failure(ErrorCode.NO_SOCKETS, "All of this node's sockets are busy.", Owner.US)
            self._loop.call_soon(self._end, job, failure, None)
        else:
            job.task = self._loop.create_task(self._opener.open(job))
            self._tasks.add(job.task)
            job.task.add_done_callback(partial(self._opened, job))

    def _opened(self, job: Job, task: asyncio.Task[Connection]) -> None:
        """An opening has ended, well or not; `job` may have been given up meanwhile."""
        self._tasks.discard(task)
        job.task = None
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or error is not None:
            self._pool.release(job.key)
            if isinstance(error, Failure):
                self._end(job, error, None)
            elif error is not None:  # a fault of ours, made known
                self._end(job, Failure(ErrorCode.CONNECT_FAILED, "Hookspan failed at connecting.", Owner.US), None)
                self._loop.call_exception_handler({"message": "opening a connection failed", "exception": error})
            return
        connection = task.result()
        if connection.is_closed or job not in self._flying:
            self._pool.release(job.key)
            connection.abort()
            self._end(job, _never_usable(connection), connection.remote_address)
            return
        job.stage = Stage.WAITING
        self._pool.opened(connection)
        connection.send(job)

    # --- what connections tell (connection.Keeper)

    def now(self) -> float:
        return self._clock.monotonic()

    def finished(self, connection: Connection, job: Job, outcome: Outcome, *, is_reusable: bool) -> None:
        # First the connection, so that `done` may send the next request on it.
        if is_reusable:
            waiting = self._waiting.next(connection.key) if self._waiting.jobs else None
            if waiting is None:
                self._pool.put(connection)
            elif self._pool.may_live_on(connection):
                connection.send(waiting)
            else:
                self._pool.close_one(connection)
                self._open(waiting)
        else:
            self._pool.close_one(connection)
        self._flying.remove(job)
        job.done(outcome)

    def failed(self, connection: Connection, job: Job, failure: Failure, *, is_unanswered: bool) -> None:
        self._pool.close_one(connection)
        if is_unanswered and connection.uses > 1 and job.may_resend:
            # It was kept alive, and died as we wrote: most likely nobody read the request. The second try goes over a
            # connection of its own, on which it is the first request, so there is no third.
            job.is_resent = True
            self._open(job)
        else:
            self._end(job, failure, connection.remote_address)

    def lost(self, connection: Connection) -> None:
        self._pool.lost(connection)

    # --- the end of a job

    def _end(self, job: Job, failure: Failure, remote_address: str | None) -> None:
        if job in self._flying:
            self._flying.remove(job)
            job.done(job.failed(failure, self._clock.monotonic(), remote_address))

    def _sweep(self) -> None:
        """One turn: end what is past its deadline, close what has been idle too long."""
        self._timer = self._loop.call_later(SWEEP_S, self._sweep)
        now = self._clock.monotonic()
        for job in [job for job in self._flying if job.deadline <= now]:
            self._give_up(job, self._lateness(job))
        for job in self._waiting.impatient(now):
            self._open(job)
        self._pool.close_idle(now)

    def _lateness(self, job: Job) -> Failure:
        message = f"No complete response within {job.timeout_ms:,} ms; the time ran out while {job.stage}."
        if job.stage is not Stage.RESOLVING:
            return Failure(ErrorCode.TIMEOUT, message)
        self._resolver.note_silence(job.target.host)
        return Failure(ErrorCode.DNS_FAILED, message, self._resolver.owner_of_failure(job.target.host))

    def _give_up(self, job: Job, failure: Failure) -> None:
        remote_address = None
        if job.task is not None:
            job.task.cancel()
        if job.connection is not None:
            remote_address = job.connection.remote_address
            self._pool.close_one(job.connection)
        self._waiting.drop(job.key, job)
        self._end(job, failure, remote_address)


def _never_usable(connection: Connection) -> Failure:
    if connection.has_spoken_first:
        return Failure(ErrorCode.INVALID_RESPONSE, "The receiver spoke before it was asked.")
    return Failure(ErrorCode.RESET, "The receiver closed the connection before it was asked anything.")
