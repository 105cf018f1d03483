"""Who asks: from the key or token of a request to its caller, on the hot path without a wait.

What the store said of a token holds for `FRESH_S` seconds on this node: so much later at most does another node's
revocation count here; a revocation through this node counts at once. Answers that say no are not kept. Looks are by
digest, so that their time tells nothing of the token.
"""

import asyncio
from collections import deque
from hmac import compare_digest
from itertools import islice

from hookspan.clock import Clock
from hookspan.domain.caller import OPERATOR, Caller, Scope
from hookspan.domain.identity import Key, Session, SessionKind, digest_of
from hookspan.engine.duty import Duty
from hookspan.errors import HookspanError, Overloaded, Unauthenticated
from hookspan.ids import KEY_PREFIX, PERSON_PREFIX, SESSION_PREFIX, to_text
from hookspan.manage import _rights
from hookspan.manage._ground import not_found
from hookspan.manage._rights import Right
from hookspan.manage._tokens import is_token
from hookspan.store.contract import Store
from hookspan.store.identity import Used

FRESH_S = 2.0
REMEMBERED_MAX = 10_000  # tokens in memory; beyond it the oldest look is forgotten
LOOKS_MAX = 64  # unknown tokens being looked for at once: strangers' guesses must not fill the store's queue
IDLE_END_MS = 12 * 3_600_000  # a person's session ends so long after its last use
FLUSH_S = 30.0
DROPPED_MAX = 1_000  # ended sessions dropped in one turn
FORGOTTEN_MAX = 1_000  # names that looks under way are held against; a look that saw more than that go is not kept


class _Known:
    """What the store said, and until when (monotonic) that holds."""

    __slots__ = ("caller", "until_s")

    def __init__(self, caller: Caller, until_s: float) -> None:
        self.caller = caller
        self.until_s = until_s


class _Look:
    """One under way, and how much had been forgotten when it began."""

    __slots__ = ("generation", "outcome")

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.outcome: asyncio.Future[Caller | HookspanError | None] = asyncio.get_running_loop().create_future()


class Callers(Duty):
    """`known` and `find` tell who sends a token. As a duty it keeps last uses, and drops sessions that are over."""

    name = "callers"

    def __init__(self, store: Store, operator_key: str, clock: Clock) -> None:
        if not operator_key:
            raise ValueError("There must be an operator key.")
        super().__init__(clock)
        self._store = store
        self._operator_digest = digest_of(operator_key.encode())
        self._known: dict[bytes, _Known] = {}
        self._looks: dict[bytes, _Look] = {}
        self._generation = 0  # how often something was forgotten
        self._forgotten: deque[str] = deque(maxlen=FORGOTTEN_MAX)  # the newest last
        self._used_keys: dict[int, int] = {}
        self._used_sessions: dict[int, Used] = {}

    # --- who asks

    def known(self, raw: bytes) -> Caller | None:
        """The caller, if it is known without a look into the store; None says nothing."""
        digest = digest_of(raw)
        if compare_digest(digest, self._operator_digest):
            return OPERATOR
        known = self._known.get(digest)
        return None if known is None or known.until_s <= self._clock.monotonic() else known.caller

    async def find(self, raw: bytes) -> Caller:
        """The caller, looked for if need be; looks for the same token are shared. Raises Unauthenticated, Overloaded
        when too many are looked for, StoreUnavailable.
        """
        while True:
            known = self.known(raw)
            if known is not None:
                return known
            if not is_token(raw):
                raise unknown_key()
            digest = digest_of(raw)
            look = self._looks.get(digest)
            outcome = await (self._look(digest) if look is None else asyncio.shield(look.outcome))
            if isinstance(outcome, Caller):
                if look is None or not self._is_forgotten(outcome, look.generation):
                    return outcome
            elif outcome is not None:  # None: who looked went away before it was known
                raise outcome

    def forget(self, name: str) -> None:
        """Rights have changed in the store: those of the key, the person or the session of this id, or of everyone of
        the application. Look again before their next request is answered. All others stay known: one tenant's
        revocations cost no other a look.
        """
        self._generation += 1
        self._forgotten.append(name)  # looks under way may have seen what was before
        gone = [digest for digest, known in self._known.items() if name in _names_of(known.caller)]
        for digest in gone:
            del self._known[digest]

    def _is_forgotten(self, caller: Caller, generation: int) -> bool:
        """Whether its rights may have changed since `generation`."""
        since = self._generation - generation
        if since > len(self._forgotten):
            return True
        names = _names_of(caller)
        return any(name in names for name in islice(reversed(self._forgotten), since))

    async def _look(self, digest: bytes) -> Caller | HookspanError | None:
        if len(self._looks) >= LOOKS_MAX and digest not in self._known:  # who was here before goes first
            raise Overloaded("Too many different keys are being looked for.")
        look = self._looks[digest] = _Look(self._generation)
        outcome: Caller | HookspanError | None = None
        try:
            outcome = await self._asked(digest, look.generation)
        except HookspanError as error:
            outcome = error
        finally:
            if self._looks.get(digest) is look:
                del self._looks[digest]
            look.outcome.set_result(outcome)
        return outcome

    async def _asked(self, digest: bytes, generation: int) -> Caller:
        now_ms = self._clock.now_ms()
        started_s = self._clock.monotonic()
        found = await self._store.find_identity(digest, now_ms)
        if found is None:
            self._known.pop(digest, None)
            raise unknown_key()
        caller = caller_of(found)
        fresh_s = FRESH_S
        if isinstance(found, Session):
            fresh_s = min(fresh_s, (found.expires_at - now_ms) / 1000)
        if not self._is_forgotten(caller, generation):
            self._remember(digest, _Known(caller, started_s + fresh_s))
            self._mark(found, now_ms)
        return caller

    def _remember(self, digest: bytes, known: _Known) -> None:
        self._known.pop(digest, None)  # to the end: the dict is in the order of looks
        if len(self._known) >= REMEMBERED_MAX:
            del self._known[next(iter(self._known))]
        self._known[digest] = known

    # --- last uses

    def _mark(self, found: Key | Session, now_ms: int) -> None:
        """A use is marked when it is looked for: at most FRESH_S before it, and the hot path does nothing."""
        if len(self._used_keys) + len(self._used_sessions) >= REMEMBERED_MAX:
            self.wake.set()  # the next look marks it
        elif isinstance(found, Key):
            self._used_keys[found.id] = now_ms
        else:
            expires_at = now_ms + IDLE_END_MS if found.kind is SessionKind.PERSON else found.expires_at
            self._used_sessions[found.id] = Used(at=now_ms, expires_at=min(expires_at, found.ends_at))

    async def turn(self) -> float:
        """Keep the last uses, drop what is over."""
        await self.flush()
        dropped = await self._store.drop_sessions(self._clock.now_ms(), DROPPED_MAX)
        return 0.0 if dropped >= DROPPED_MAX else FLUSH_S

    async def flush(self) -> None:
        """Keep the last uses. Those of a try that failed are lost: what is used goes on being used."""
        keys, self._used_keys = self._used_keys, {}
        sessions, self._used_sessions = self._used_sessions, {}
        await self._store.mark_used(keys, sessions)


def _names_of(caller: Caller) -> tuple[str | None, ...]:
    """By which its rights can be forgotten."""
    return caller.id, caller.session, caller.application


def caller_of(found: Key | Session) -> Caller:
    """Whom a key or session speaks for."""
    if isinstance(found, Key):
        return Caller(
            kind="key",
            id=to_text(KEY_PREFIX, found.id),
            name=found.name,
            scope=found.scope,
            role=found.role,
            application=found.application,
        )
    scope = Scope.OPERATOR if found.application is None else Scope.APPLICATION
    person = found.person
    if person is None:
        return Caller(
            kind="portal",
            id=to_text(SESSION_PREFIX, found.id),
            name="portal session",
            scope=scope,
            role=found.role,
            application=found.application,
            session=to_text(SESSION_PREFIX, found.id),
            origin=found.origin,
        )
    return Caller(
        kind="person",
        id=to_text(PERSON_PREFIX, person.id),
        name=person.name,
        scope=scope,
        role=found.role,
        application=found.application,
        session=to_text(SESSION_PREFIX, found.id),
    )


def check_publish(caller: Caller, application: str) -> None:
    """Raise what a publish to `application` by `caller` is refused with, without a look: NotFound in the words for one
    that is not there, NotAllowed.
    """
    if not caller.reaches(application):
        not_found("application", application)
    _rights.check(caller, Right.PUBLISH)


def unknown_key() -> Unauthenticated:
    """The same words whether it never was, is revoked, or is over."""
    return Unauthenticated(
        "The key is unknown, revoked or over. It is sent as `Authorization: Bearer KEY` or `Api-Key: KEY`."
    )
