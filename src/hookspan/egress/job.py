"""One request under way: what `Egress.send` was given, how far it has come, and how it ends."""

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from hookspan.domain.outcome import ErrorCode, Outcome, Owner
from hookspan.egress.target import Target

if TYPE_CHECKING:
    import asyncio

    from hookspan.egress.connection import Connection
    from hookspan.egress.pool import Key

BLOCKED_MESSAGE = "The destination is not allowed."


class Stage(enum.StrEnum):
    """How far a request has come; told when its deadline passes."""

    RESOLVING = "looking up the host name"
    CONNECTING = "connecting"
    SECURING = "the TLS handshake"
    WAITING = "waiting for the response"
    READING = "reading the response"


class Failure(Exception):
    """Why there is no response. `message` is shown to integrators."""

    def __init__(self, code: ErrorCode, message: str, owner: Owner = Owner.RECEIVER) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.owner = owner


class Opening(Protocol):
    """What a connection is opened for: a request (Job), or the look at a certificate."""

    target: Target
    application_id: int
    timeout_ms: int
    deadline: float  # s, monotonic
    stage: Stage

    @property
    def key(self) -> "Key":
        """Whose connection it will be."""
        ...


class Job:
    """Mutable, and only touched on the loop. While it is in flight, `connection` or the opening `task` is set."""

    __slots__ = (
        "application_id",
        "connection",
        "deadline",
        "done",
        "is_resent",
        "may_resend",
        "request",
        "stage",
        "started",
        "started_at",
        "target",
        "task",
        "timeout_ms",
    )

    def __init__(
        self,
        target: Target,
        request: bytes,
        application_id: int,
        timeout_ms: int,
        done: Callable[[Outcome], None],
        started_at: int,
        started: float,
        *,
        may_resend: bool,
    ) -> None:
        self.target = target
        self.request = request
        self.application_id = application_id
        self.timeout_ms = timeout_ms
        self.done = done
        self.started_at = started_at  # ms since 1970
        self.started = started  # s, monotonic, as the deadline
        self.deadline = started + timeout_ms / 1000
        self.may_resend = may_resend
        self.is_resent = False
        self.stage = Stage.WAITING
        self.connection: Connection | None = None
        self.task: asyncio.Task[Connection] | None = None

    @property
    def key(self) -> "Key":
        """Whose connections it may go over."""
        return self.application_id, self.target.origin

    def failed(self, failure: Failure, now: float, remote_address: str | None) -> Outcome:
        """The outcome of a request that got no response. A blocked one tells neither a time nor an address."""
        is_blocked = failure.code is ErrorCode.BLOCKED_DESTINATION
        return Outcome(
            started_at=self.started_at,
            duration_us=0 if is_blocked else int((now - self.started) * 1e6),
            remote_address=None if is_blocked else remote_address,
            error=failure.code,
            error_message=failure.message,
            owner=failure.owner,
            is_resent=self.is_resent,
        )


def blocked() -> Failure:
    return Failure(ErrorCode.BLOCKED_DESTINATION, BLOCKED_MESSAGE)
