"""A network made of Python functions: the engine sends, a script answers, and everything is written down."""

import asyncio
from collections.abc import Callable

import msgspec

from hookspan.domain.outcome import ErrorCode, Outcome, Owner


class Request(msgspec.Struct, frozen=True):
    """What arrived at a receiver."""

    url: str
    headers: dict[str, str]
    body: bytes
    at_ms: int


Answer = Callable[[Request], Outcome]


class FakeTarget(msgspec.Struct, frozen=True):
    url: str


class FakeEgress:
    """Stands in for hookspan.egress.Egress. `answer` decides; `hold` keeps requests in flight until `let_go`."""

    def __init__(self, clock, answer: Answer | None = None) -> None:
        self.clock = clock
        self.answer = answer or (lambda request: self.status(200))
        self.requests: list[Request] = []
        self.is_holding = False
        self.in_flight_most = 0
        self.answers_due = 0
        self._age = 0
        self._held: list[tuple[Request, Callable[[Outcome], None]]] = []

    def target(self, url: str, *, https_required: bool) -> FakeTarget:
        return FakeTarget(url)

    def send(self, target, headers: bytes, body: bytes, *, application_id, timeout_ms, done) -> None:
        lines = [line.split(": ", 1) for line in headers.decode().split("\r\n")[:-1]]
        request = Request(target.url, dict(lines), body, self.clock.now_ms())
        self.requests.append(request)
        self.in_flight_most = max(self.in_flight_most, len(self._held) + self.answers_due + 1)
        if self.is_holding:
            self._held.append((request, done))
        else:
            self.answers_due += 1
            asyncio.get_running_loop().call_soon(self._answer_due, request, done, self._age)

    def _answer_due(self, request: Request, done: Callable[[Outcome], None], age: int) -> None:
        if age == self._age:
            self.answers_due -= 1
            done(self.answer(request))

    def let_go(self, count: int = 1_000_000) -> None:
        """Answer up to `count` of the requests that are held."""
        for _ in range(min(count, len(self._held))):
            request, done = self._held.pop(0)
            done(self.answer(request))

    def abandon(self, done: Callable[[Outcome], None]) -> None:
        """Nobody waits for it any more: a request that is held ends."""
        for one in [one for one in self._held if one[1] is done]:
            self._held.remove(one)
            done(self.error(ErrorCode.SHUTDOWN, Owner.US))

    def forget(self) -> None:
        """The process that sent them has died."""
        self._age += 1
        self.answers_due = 0
        self._held.clear()

    @property
    def in_flight(self) -> int:
        return len(self._held) + self.answers_due

    def status(self, status: int, *, retry_after: str | None = None) -> Outcome:
        return Outcome(
            started_at=self.clock.now_ms(),
            duration_us=1_000,
            status=status,
            body=b"ok",
            body_bytes=2,
            retry_after=retry_after,
            remote_address="203.0.113.9",
        )

    def error(self, code: ErrorCode, owner: Owner = Owner.RECEIVER) -> Outcome:
        return Outcome(
            started_at=self.clock.now_ms(), duration_us=1_000, error=code, error_message=code.value, owner=owner
        )

    def bodies(self, url: str | None = None) -> list[bytes]:
        return [request.body for request in self.requests if url is None or request.url == url]
